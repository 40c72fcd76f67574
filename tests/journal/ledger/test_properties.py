"""What must hold for every set of fills."""

import random
from decimal import Decimal as D
from decimal import localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from journal.ledger import Fill, Ledger, Rules, compute
from journal.ledger.lots import METHODS
from journal.ledger.records import PRECISION

PRICES = st.integers(1, 500).map(D)
SIZES = st.integers(1, 30).map(lambda n: D(n) / 10)


@st.composite
def histories(draw: st.DrawFn, market: str = "usdm") -> list[Fill]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["AUSDT", "BUSDT"]),
                st.sampled_from(["BUY", "SELL"]),
                PRICES,
                SIZES,
                st.integers(0, 2),
                st.integers(0, 20),
            ),
            min_size=1,
            max_size=25,
        )
    )
    time, fills = 0, []
    for number, (symbol, side, price, size, step, fee) in enumerate(rows, 1):
        time += step
        fills.append(
            Fill(
                str(number),
                time,
                symbol,
                symbol[0],
                "USDT",
                side,
                price,
                size,
                D(fee) / 100,
                "USDT",
                market=market,
            )
        )
    return fills


def everything(ledger: Ledger) -> tuple[object, ...]:
    return ledger.matches, ledger.trades, ledger.positions, ledger.problems


def closed(fills: list[Fill]) -> list[Fill]:
    """The same history with every position closed at the end."""
    extra = []
    for number, position in enumerate(compute(fills).positions):
        side = "SELL" if position.quantity > 0 else "BUY"
        extra.append(
            Fill(
                str(10_000 + number),
                10**6,
                position.symbol,
                position.symbol[0],
                "USDT",
                side,
                D(77),
                abs(position.quantity),
                D("0.5"),
                "USDT",
                market=position.market,
            )
        )
    return fills + extra


@given(histories(), st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(
    fills: list[Fill], method: str, rng: random.Random
) -> None:
    shuffled = fills[:]
    rng.shuffle(shuffled)
    assert everything(compute(shuffled, method=method)) == everything(compute(fills, method=method))


@given(histories(), st.sampled_from(METHODS), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=200)
def test_extending_equals_a_full_rebuild_keys_included(
    fills: list[Fill], method: str, rng: random.Random, has_rules: bool
) -> None:
    rules = {"AUSDT": Rules(D("0.3"), D(0))} if has_rules else None
    order = fills[:]
    if rng.random() < 0.7:
        rng.shuffle(order)
    first = rng.randrange(len(order) + 1)
    second = rng.randrange(first, len(order) + 1)
    ledger = compute(order[:first], method=method, rules=rules)
    ledger.extend(order[first:second])
    ledger.extend(order[second:])
    assert everything(ledger) == everything(compute(fills, method=method, rules=rules))


@given(histories())
def test_every_method_gives_the_same_gross_for_closed_cycles(fills: list[Fill]) -> None:
    fills = closed(fills)
    ledgers = [compute(fills, method=method) for method in METHODS]
    with localcontext(prec=80):
        totals = [sum((t.gross for t in ledger.trades), D(0)) for ledger in ledgers]
        assert all(abs(total - totals[0]) < D("1e-40") for total in totals)


@given(histories(), st.sampled_from(METHODS))
def test_matches_trades_and_cash_agree(fills: list[Fill], method: str) -> None:
    fills = closed(fills)
    ledger = compute(fills, method=method)
    with localcontext(prec=80):
        cash = sum(
            ((1 if f.side == "SELL" else -1) * f.price * f.quantity - f.fee for f in fills), D(0)
        )
        matched = sum((match.net for match in ledger.matches), D(0))
        traded = sum((trade.net for trade in ledger.trades), D(0))
        assert abs(matched - cash) < D("1e-40")
        assert abs(traded - cash) < D("1e-40")
    assert ledger.positions == []


@given(histories(), st.sampled_from(METHODS))
def test_net_is_gross_less_fees_plus_funding_everywhere(fills: list[Fill], method: str) -> None:
    ledger = compute(fills, method=method)
    with localcontext(PRECISION):
        assert all(m.net == m.gross - m.fees for m in ledger.matches)
        assert all(t.net == t.gross - t.fees + t.funding for t in ledger.trades)


@given(histories("spot"), st.sampled_from(METHODS))
def test_nothing_is_sold_that_was_not_bought(fills: list[Fill], method: str) -> None:
    ledger = compute(fills, method=method)
    bought = sum((f.quantity for f in fills if f.side == "BUY"), D(0))
    sold = sum((f.quantity for f in fills if f.side == "SELL"), D(0))
    left_out = sum((p.quantity for p in ledger.problems), D(0))
    held = sum((p.quantity for p in ledger.positions), D(0))
    assert held == bought - (sold - left_out)
    assert all(p.quantity > 0 for p in ledger.positions)


@given(histories(), st.sampled_from(METHODS), st.data())
def test_splitting_a_fill_in_two_changes_nothing_but_ids(
    fills: list[Fill], method: str, data: st.DataObject
) -> None:
    fills = [  # room between the ids for a second half
        Fill(
            str(int(f.id) * 10),
            f.time,
            f.symbol,
            f.base,
            f.quote,
            f.side,
            f.price,
            f.quantity,
            f.fee,
            f.fee_asset,
            market=f.market,
        )
        for f in fills
    ]
    index = data.draw(st.integers(0, len(fills) - 1))
    whole = fills[index]
    halves = [
        Fill(
            str(int(whole.id) + part),
            whole.time,
            whole.symbol,
            whole.base,
            whole.quote,
            whole.side,
            whole.price,
            whole.quantity / 2,
            whole.fee / 2,
            whole.fee_asset,
            market=whole.market,
        )
        for part in range(2)
    ]
    one = compute(fills, method=method)
    two = compute([*fills[:index], *halves, *fills[index + 1 :]], method=method)
    facts = [
        [(t.symbol, t.direction, t.opened_at, t.closed_at, t.quantity) for t in ledger.trades]
        for ledger in (one, two)
    ]
    assert facts[0] == facts[1]
    for left, right in zip(one.trades, two.trades, strict=True):
        assert abs(left.net - right.net) < D("1e-20")
