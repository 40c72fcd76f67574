"""The identity in the pure ledger (money.md 6), and what holds for every history."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

import random
from decimal import Decimal as D
from decimal import localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.ledger import Conversion, Fill, Funding, Ledger, Rules, Transfer, Wishes
from journal.ledger.lots import METHODS
from lib.cash import CURRENCIES, DOLLARS
from tests.money.by_hand import at, buy, changed, constant, ledger, moved, net, paid, sell

END = {"BTC": D(61_000), "ETH": D(3100), "BNB": D(590), "SOL": D(140), "EUR": D("1.1")}
NEAR = D("1e-35")


def price(asset: str, time: Any) -> D | None:
    """Moving from moment to moment; BNB has none at odd ones."""
    if asset not in END or (asset == "BNB" and time % 2):
        return None
    now: D = END[asset] * (100 + time % 7) / 100
    return now


def wealth(found: Ledger, events: list[Any]) -> tuple[D, D, D]:
    """(earned by trades, earned by the tax view, the change of wealth), at the prices of END."""
    cash: dict[str, D] = {}

    def move(asset: str, quantity: D) -> None:
        if asset in DOLLARS or asset in CURRENCIES:
            cash[asset] = cash.get(asset, D(0)) + quantity

    for event in events:
        if isinstance(event, Fill) and event.market == "spot":
            sign = 1 if event.side == "BUY" else -1
            move(event.base, sign * event.quantity)
            move(event.quote, -sign * event.quote_value)
        if isinstance(event, Fill):
            for amount, asset in event.all_fees:
                move(asset, -amount)
        if isinstance(event, Transfer):
            move(event.asset, event.quantity)
        if isinstance(event, Funding):
            move(event.asset, event.amount)
        if isinstance(event, Conversion):
            move(event.given, -event.given_quantity)
            move(event.received, event.received_quantity)
    worth = sum((quantity * END.get(asset, D(1)) for asset, quantity in cash.items()), D(0))
    unrealised = D(0)
    tax_cost = D(0)
    for position in found.positions:
        now = position.quantity * END[position.asset] if position.market == "spot" else D(0)
        worth += now
        if position.market == "spot":
            unrealised += now - position.cost - position.entry_fees
            book = found.coin(position.asset)
            assert book is not None
            tax_cost += position.cost + position.entry_fees - book.tax_cost
        else:
            mark = END[position.symbol.removesuffix("USDT")]
            entry, exchange_entry = position.average_price, position.exchange_entry
            assert entry is not None
            assert exchange_entry is not None
            unrealised += (mark - entry) * position.quantity - position.entry_fees
            worth += (mark - exchange_entry) * position.quantity
    for symbol in {event.symbol for event in events if isinstance(event, Fill)}:
        contract = found.contract(symbol)
        worth += sum((b.average_realized for b in contract.books.values()), D(0)) if contract else 0
    effect = sum(
        (moved_ * END[asset] - booked for asset, (moved_, booked) in found.currencies.items()), D(0)
    )
    beside = effect + sum((paid(found, kind) for kind in ("income", "funding", "fee")), D(0))
    trades = sum((t.gross - t.fees for t in found.all_trades), D(0)) - paid(found, "fee")
    trades += sum((match.net for match in found.exchanges), D(0))
    change = worth - paid(found, "opening") - paid(found, "deposit") - paid(found, "withdrawal")
    return trades + unrealised + beside, net(found) + unrealised + tax_cost + beside, change


PAIRS = [
    "BTCUSDT",
    "BTCUSDC",
    "ETHUSDT",
    "ETHBTC",
    "SOLBNB",
    "BNBUSDT",
    "USDCUSDT",
    "BTCEUR",
    "EURUSDT",
]
QUOTES = ("USDT", "USDC", "BTC", "BNB", "EUR")
ROUGH = {"USDC": D(1), "USDT": D(1), **END}


@st.composite
def histories(draw: st.DrawFn) -> list[Any]:
    """Fills with fees in any coin, transfers, conversions, contracts with funding."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["fill"] * 6
                    + ["transfer", "income", "convert", "dust", "perp", "funding", "withdrawal"]
                ),
                st.sampled_from(PAIRS),
                st.booleans(),
                st.integers(1, 30),
                st.integers(80, 120),
                st.sampled_from(["USDT", "BNB", "base", "quote", "rebate"]),
                st.integers(0, 2),
            ),
            min_size=1,
            max_size=16,
        )
    )
    time = 0
    events: list[Any] = []
    for id, (kind, symbol, is_buy, size, percent, fee, step) in enumerate(rows, 1):
        time += step
        quote = next(q for q in QUOTES if symbol.endswith(q))
        base = symbol.removesuffix(quote)
        about = ROUGH[base] / ROUGH[quote] * percent / 100
        at_price = about.quantize(D("0.0001"))
        quantity = (D(size) * 100 / ROUGH[base]).quantize(D("0.00001"))
        side = "BUY" if is_buy else "SELL"
        coin = {"base": base, "quote": quote, "rebate": "BNB"}.get(fee, fee)
        amount = (D("0.3") / ROUGH[coin]).quantize(D("0.0000001"))
        amount = -amount if fee == "rebate" else amount
        if kind == "fill":
            events.append(
                Fill(id, time, symbol, base, quote, side, at_price, quantity, amount, coin)
            )
        elif kind == "perp":
            events.append(
                Fill(
                    id,
                    time,
                    "BTCUSDT",
                    "BTC",
                    "USDT",
                    side,
                    END["BTC"] * percent / 100,
                    D(size) / 10,
                    D("0.3"),
                    "USDT",
                    market="usdm",
                )
            )
        elif kind == "funding":
            amount = D(size) / (10 if is_buy else -10)
            events.append(Funding(f"f{id}", time, "BTCUSDT", amount, "USDT"))
        elif kind in {"convert", "dust"}:
            events.append(
                Conversion(f"c{id}", time, base, quantity, quote, quantity * at_price, kind)
            )
        else:
            told = "income" if kind == "income" else "outside"
            taken = D("0.001") * quantity if kind == "withdrawal" else D(0)
            signed = -quantity if kind == "withdrawal" or not is_buy else quantity
            network = taken if signed < 0 else D(0)
            events.append(Transfer(f"t{id}", time, base, signed, kind=told, fee=network))
    return events


RULES = {"BTCUSDT": Rules(D("0.001"), D(5)), "ETHUSDT": [(0, Rules(D("0.01"), D(1)))]}
METHOD = st.sampled_from(METHODS)


def tried(events: list[Any], method: str, **more: Any) -> Ledger:
    marks = frozenset(
        (e.symbol, str(e.id)) for e in events if isinstance(e, Fill) and e.id % 5 == 0
    )
    return ledger(
        *events, method=method, prices=price, rules=RULES, wishes=Wishes(set_aside=marks), **more
    )


def everything(found: Ledger) -> tuple[Any, ...]:
    return (
        found.matches,
        found.all_trades,
        found.positions,
        found.payments,
        found.problems,
        found.currencies,
    )


@given(histories(), METHOD)
@settings(max_examples=150)
def test_6_what_is_earned_is_the_change_of_wealth_in_both_views(
    events: list[Any], method: str
) -> None:
    with localcontext(prec=80):
        by_trades, by_tax, change = wealth(tried(events, method), events)
        assert abs(by_trades - change) < NEAR
        assert abs(by_tax - change) < NEAR


@given(histories(), METHOD, st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_6_the_order_of_the_input_never_matters(
    events: list[Any], method: str, rng: random.Random
) -> None:
    shuffled = events[:]
    rng.shuffle(shuffled)
    assert everything(tried(shuffled, method)) == everything(tried(events, method))


@given(histories(), METHOD, st.integers(0, 16), st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_6_batches_that_come_later_equal_a_rebuild(
    events: list[Any], method: str, size: int, rng: random.Random
) -> None:
    fills = [event for event in events if isinstance(event, Fill)]
    others = [event for event in events if not isinstance(event, Fill)]
    if rng.random() < 0.3:
        rng.shuffle(fills)
    marks = frozenset((f.symbol, str(f.id)) for f in fills if f.id % 5 == 0)
    told = {"method": method, "prices": price, "rules": RULES, "wishes": Wishes(set_aside=marks)}
    early = [event for event in others if not fills or event.time <= fills[0].time]
    found = ledger(*fills[:size], *early, **told)
    found.extend(fills[size:])
    assert everything(found) == everything(ledger(*fills, *early, **told))


def test_6_a_currency_that_rises_between_its_flows_has_the_effect_apart() -> None:
    """1000 EUR at 1.10, a BTC for 500 of them at 1.20, the end at 1.10: 50 of effect."""
    rates = {at(1): D("1.1"), at(2): D("1.2")}
    rows = [moved("d", "EUR", "1000", at(1)), buy("BTCEUR", 2, "50000", "0.01", "0 EUR")]
    found = ledger(*rows, prices=lambda asset, time: rates[time] if asset == "EUR" else None)
    [position] = found.positions
    assert position.cost == 600
    quantity, booked = found.currencies["EUR"]
    assert (quantity, booked, quantity * D("1.1") - booked) == (500, 500, 50)


def test_6_a_coin_spent_on_another_pair_by_hand() -> None:
    """1 BTC of 20000, spent at 60000 on ETH that ends at 62000: 40000 realised, 2000 not."""
    rows = [buy("BTCUSDT", 1, "20000", "1"), buy("ETHBTC", 2, "0.05", "20")]
    found = ledger(*rows, prices=constant(BTC="60000"))
    [ether] = found.positions
    assert (net(found), 62000 - ether.cost) == (40000, 2000)
    assert paid(found, "deposit") == 0


@pytest.mark.parametrize("method", METHODS)
def test_6_a_fee_is_counted_once_by_hand(method: str) -> None:
    """1 BNB of 500 ends at 600; a fee of 0.01 BNB at 600 and a round trip at one price: +99 - 5."""
    rows = [
        buy("BNBUSDT", 1, "500", "1"),
        buy("BTCUSDT", 2, "60000", "0.1", "0.01 BNB"),
        sell("BTCUSDT", 3, "60000", "0.1"),
        changed("c", "0.99 BNB", "594 USDT", at(4)),
    ]
    found = ledger(*rows, method=method, prices=constant(BNB="600"))
    assert net(found) == sum((t.net for t in found.all_trades), D(0)) == 94


def test_6_a_second_quote_that_comes_later_ends_counting_in_the_first() -> None:
    """Without prices the only quote is the unit; with dollars beside it, it is a currency."""
    first, second = buy("BTCEUR", 1, "50000", "1", "0 EUR"), buy("ETHUSDT", 2, "3000", "1")
    found = ledger(first)
    assert [position.cost for position in found.positions] == [50000]
    found.extend([second])
    assert everything(found) == everything(ledger(first, second))
