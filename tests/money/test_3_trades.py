"""Trades as a person reads them (money.md 3), by hand."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from journal.ledger import Rules, Wishes
from tests.money.by_hand import (
    at,
    buy,
    changed,
    constant,
    earned,
    held,
    ledger,
    moved,
    net,
    perp,
    sell,
    stack,
)

DUST = {"SOLUSDT": Rules(D("0.01"), D(5))}


def test_3_1_a_contract_goes_from_flat_to_flat_and_a_flip_splits() -> None:
    found = ledger(
        perp(1, "BUY", "100", "1"), perp(2, "SELL", "110", "3"), perp(3, "BUY", "105", "2")
    )
    assert [(t.direction, t.quantity, t.net, t.closed_at) for t in found.trades] == [
        ("LONG", 1, 10, at(2)),
        ("SHORT", 2, 10, at(3)),
    ]


@pytest.mark.parametrize(
    "arrival",
    [
        moved("i", "SOL", "1", at(1), kind="income"),
        moved("d", "SOL", "1", at(1)),
        changed("u", "1 BNB", "1 SOL", at(1), "dust"),
        buy("BTCUSDT", 1, "1", "1", "-1 SOL"),
    ],
    ids=["income", "deposit", "dust", "rebate"],
)
def test_3_2_only_what_is_bought_opens_a_trade(arrival: object) -> None:
    found = ledger(arrival, prices=constant(SOL="100", BNB="100"))
    assert (held(found).get("SOL"), stack(found)["SOL"]) == (None, 1)


def test_3_2_what_a_sale_brings_as_quote_opens_none() -> None:
    found = ledger(
        buy("ETHUSDT", 1, "3000", "1"),
        sell("ETHBTC", 2, "0.05", "1", "0 BTC"),
        prices=constant(BTC="60000"),
    )
    assert (held(found), stack(found)) == ({}, {"BTC": D("0.05")})


def test_3_2_what_is_converted_opens_one_and_a_purchase_joins_it() -> None:
    found = ledger(
        changed("c", "100 USDT", "1 SOL", at(1)),
        buy("SOLUSDT", 2, "200", "1"),
        sell("SOLUSDT", 3, "160", "2"),
    )
    [trade] = found.trades
    assert (trade.quantity, trade.entry_price, trade.net) == (2, 150, 20)


def test_3_2_interest_between_day_trades_glues_nothing() -> None:
    rows = [
        row
        for day in range(1, 5)
        for row in (
            moved(f"i{day}", "SOL", "0.2", at(day, 7), kind="income"),
            buy("SOLUSDT", 2 * day, "100", "1", time=at(day, 8)),
            sell("SOLUSDT", 2 * day + 1, "110", "1", time=at(day, 9)),
        )
    ]
    found = ledger(*rows, prices=constant(SOL="100"))
    assert [trade.net for trade in found.trades] == [10] * 4
    assert stack(found) == {"SOL": D("0.8")}


def test_3_2_day_trades_stand_beside_what_was_set_aside() -> None:
    found = ledger(
        buy("SOLUSDT", 1, "40", "1"),
        buy("SOLUSDT", 2, "100", "1"),
        sell("SOLUSDT", 3, "110", "1"),
        wishes=Wishes(set_aside=frozenset({("SOLUSDT", "1")})),
    )
    assert ([t.net for t in found.trades], net(found)) == ([10], 70)  # the tax view sells the 40
    assert stack(found) == {"SOL": 1}


@pytest.mark.parametrize(
    ("leaving", "left_in_trade"),
    [
        (sell("SOLUSDT", 3, "150", "1"), 0),
        (changed("c", "1 SOL", "150 USDT", at(3)), 0),
        (changed("d", "1 SOL", "0.25 BNB", at(3), "dust"), 1),
        (buy("BTCUSDT", 3, "150", "1", "1 SOL"), 1),
        (moved("i", "SOL", "-1", at(3), kind="income"), 1),
        (moved("w", "SOL", "-1", at(3)), 1),
    ],
    ids=["sold", "converted", "dusted", "fee", "paid", "withdrawn"],
)
def test_3_3_which_lots_leave_first(leaving: object, left_in_trade: int) -> None:
    """1 of a deposit in the stack, 1 bought in the trade."""
    found = ledger(
        moved("d", "SOL", "1", at(1)),
        buy("SOLUSDT", 2, "100", "1"),
        leaving,
        prices=constant(SOL="150", BNB="600"),
    )
    assert held(found).get("SOL", 0) == left_in_trade
    assert stack(found).get("SOL", 0) == 1 - left_in_trade


def test_3_3_spent_as_quote_leaves_the_stack_first() -> None:
    found = ledger(
        moved("d", "BTC", "1", at(1)),
        buy("BTCUSDT", 2, "50000", "1"),
        buy("ETHBTC", 3, "0.05", "30"),
        prices=constant(BTC="60000"),
    )
    [spent] = [t for t in found.all_trades if t.kind == "stack"]
    assert (spent.ended_by, spent.symbol, spent.quantity) == ("spent", "ETHBTC", 1)
    assert held(found) == {"BTC": D("0.5"), "ETH": 30}
    assert [t.net for t in found.trades if t.asset == "BTC"] == [5000]  # its other half came after


@pytest.mark.parametrize(("method", "left"), [("fifo", 300), ("lifo", 100), ("hifo", 100)])
def test_3_3_within_the_trade_the_method_chooses(method: str, left: int) -> None:
    found = ledger(
        buy("SOLUSDT", 1, "100", "1"),
        buy("SOLUSDT", 2, "300", "1"),
        sell("SOLUSDT", 3, "310", "1"),
        method=method,
    )
    assert found.positions[0].cost == left


def test_3_4_a_remainder_below_the_step_goes_to_the_stack_with_cost_date_and_fee() -> None:
    found = ledger(
        buy("SOLUSDT", 1, "1000", "1", "1 USDT"),
        sell("SOLUSDT", 2, "1100", "0.992"),
        sell("SOLUSDT", 3, "1200", "0.008"),
        rules=DUST,
    )
    trade, rest = found.all_trades
    assert (trade.closed_at, trade.quantity, trade.fees) == (at(2), D("0.992"), D("0.992"))
    assert (rest.kind, rest.gross, rest.fees) == ("stack", D("1.6"), D("0.008"))
    assert rest.matches[0].opened_at == at(1)


@pytest.mark.parametrize(("price", "is_closed"), [("499", True), ("500", False)])
def test_3_4_a_remainder_is_measured_by_the_exits_price(price: str, is_closed: bool) -> None:
    """0.01 stays: worth below 5 or not."""
    found = ledger(buy("SOLUSDT", 1, "400", "1"), sell("SOLUSDT", 2, price, "0.99"), rules=DUST)
    assert (found.trades[0].closed_at is not None) is is_closed


def test_3_4_the_rules_are_those_of_the_exits_pair() -> None:
    rules = {"SOLUSDT": Rules(D("0.01"), D(0)), "SOLUSDC": Rules(D("0.1"), D(0))}
    for symbol, is_closed in (("SOLUSDT", False), ("SOLUSDC", True)):
        exit = sell(symbol, 2, "100", "0.95", f"0 {symbol[3:]}")
        found = ledger(buy("SOLUSDT", 1, "100", "1"), exit, rules=rules)
        assert (found.trades[0].closed_at is not None) is is_closed


def test_3_4_an_exit_without_a_pair_asks_the_last_pairs_rules() -> None:
    found = ledger(
        buy("SOLUSDT", 1, "100", "1"),
        moved("w", "SOL", "-0.995", at(2)),
        rules=DUST,
        prices=constant(SOL="100"),
    )
    assert (found.trades[0].ended_by, stack(found)) == ("withdrawn", {"SOL": D("0.005")})


def test_3_4_the_minimum_of_a_pair_against_a_coin_is_in_that_coin() -> None:
    """0.0001 BTC are 6 dollars; 0.001 ETH at 3000 are 3."""
    found = ledger(
        buy("ETHUSDT", 1, "3000", "1"),
        sell("ETHBTC", 2, "0.05", "0.999", "0 BTC"),
        rules={"ETHBTC": Rules(D("0.0001"), D("0.0001"))},
        prices=constant(BTC="60000"),
    )
    assert found.trades[0].closed_at == at(2)


def test_3_4_rules_hold_from_when_they_were_seen() -> None:
    """Of 1 each 0.95 is sold on the 2nd and the 12th; a step of 0.1 was seen on the 10th."""
    rules = {"SOLUSDT": [(at(1), Rules(D("0.01"), D(0))), (at(10), Rules(D("0.1"), D(0)))]}
    rows = [buy("SOLUSDT", 1, "100", "1"), sell("SOLUSDT", 2, "110", "0.95")]
    assert ledger(*rows, rules=rules).trades[0].closed_at is None
    later = [buy("SOLUSDT", 11, "100", "1"), sell("SOLUSDT", 12, "110", "0.95")]
    assert ledger(*later, rules=rules).trades[0].closed_at == at(12)
    # older fills use the oldest that is kept
    only = {"SOLUSDT": [(at(10), Rules(D("0.1"), D(0)))]}
    assert ledger(*rows, rules=only).trades[0].closed_at == at(2)


def test_3_5_what_one_order_takes_from_the_stack_is_one_trade() -> None:
    rows = [
        sell("SOLUSDT", id, "150", "1", time=at(2, 8, id), order_id=7 if id < 4 else 8)
        for id in (2, 3, 4)
    ]
    found = ledger(moved("d", "SOL", "3", at(1)), *rows, prices=constant(SOL="100"))
    assert [(t.kind, t.quantity, t.net) for t in found.all_trades] == [
        ("stack", 2, 100),
        ("stack", 1, 50),
    ]
    assert found.trades == []


def test_3_5_without_an_order_it_is_one_symbol_and_minute() -> None:
    rows = [
        sell("SOLUSDT", id, "150", "1", time=at(2, 8, minute, second))
        for id, minute, second in ((2, 0, 1), (3, 0, 59), (4, 1, 0))
    ]
    found = ledger(moved("d", "SOL", "3", at(1)), *rows, prices=constant(SOL="100"))
    assert [trade.quantity for trade in found.all_trades] == [2, 1]


def test_3_5_without_a_symbol_it_is_one_row() -> None:
    rows = [moved(f"w{n}", "SOL", "-1", at(2)) for n in (1, 2)]
    found = ledger(moved("d", "SOL", "2", at(1)), *rows, prices=constant(SOL="100"))
    assert [(t.ended_by, t.quantity) for t in found.all_trades] == [("withdrawn", 1)] * 2


def test_3_5_a_sale_larger_than_the_trade_closes_it_and_sells_the_rest_from_the_stack() -> None:
    found = ledger(
        moved("d", "SOL", "5", at(1)),
        buy("SOLUSDT", 2, "100", "1"),
        sell("SOLUSDT", 3, "110", "3"),
        prices=constant(SOL="90"),
    )
    assert {(t.kind, t.closed_at, t.net) for t in found.all_trades} == {
        ("trade", at(3), 10),
        ("stack", at(3), 40),
    }
    assert stack(found) == {"SOL": 3}


@pytest.mark.parametrize(
    ("leaving", "ended_by"),
    [
        (sell("SOLUSDT", 3, "150", "1"), "sold"),
        (buy("BTCUSDT", 3, "150", "1", "1 SOL"), "fee"),
        (moved("i", "SOL", "-1", at(3), kind="income"), "paid"),
    ],
)
def test_3_5_a_stack_trade_is_named_by_what_happened(leaving: object, ended_by: str) -> None:
    found = ledger(moved("d", "SOL", "1", at(1)), leaving, prices=constant(SOL="150"))
    [taken] = [t for t in found.all_trades if t.kind == "stack"]
    assert (taken.ended_by, taken.asset) == (ended_by, "SOL")


def test_3_5_a_withdrawal_from_the_stack_is_no_fee_though_the_network_took_one() -> None:
    found = ledger(
        moved("d", "SOL", "2", at(1)),
        moved("w", "SOL", "-1", at(2), fee=D("0.01")),
        prices=constant(SOL="100"),
    )
    [taken] = found.all_trades
    assert (taken.kind, taken.ended_by, taken.quantity) == ("stack", "withdrawn", 1)


def test_3_6_a_mark_ends_the_trade_after_its_fill_and_its_rest_is_in_the_stack() -> None:
    rows = [
        buy("SOLUSDT", 1, "100", "1", "1 USDT"),
        sell("SOLUSDT", 2, "110", "0.4"),
        sell("SOLUSDT", 3, "120", "0.6"),
    ]
    marked = ledger(*rows, wishes=Wishes(set_aside=frozenset({("SOLUSDT", "2")})))
    trade, rest = marked.all_trades
    assert (trade.ended_by, trade.closed_at, trade.net) == ("set_aside", at(2), D("3.6"))
    assert (rest.kind, rest.net, rest.matches[0].opened_at) == ("stack", D("11.4"), at(1))
    assert net(marked) == net(ledger(*rows)) == 15
    assert [t.net for t in ledger(*rows).trades] == [15]  # without the mark: as if it never was


def test_3_6_a_trade_without_matches_is_not_listed() -> None:
    found = ledger(
        buy("SOLUSDT", 1, "100", "1"), wishes=Wishes(set_aside=frozenset({("SOLUSDT", "1")}))
    )
    assert (found.all_trades, stack(found)) == ([], {"SOL": 1})


def test_3_6_a_mark_is_of_a_symbols_fill_and_of_no_fee() -> None:
    """Fill 2 of BTCUSDT pays its fee in BNB: marked for BTC, BNB's trade goes on."""
    found = ledger(
        buy("BNBUSDT", 1, "500", "1"),
        buy("BTCUSDT", 2, "60000", "1", "0.01 BNB"),
        prices=constant(BNB="600"),
        wishes=Wishes(set_aside=frozenset({("BTCUSDT", "2")})),
    )
    assert (held(found), stack(found)) == ({"BNB": D("0.99")}, {"BTC": 1})


@pytest.mark.parametrize(
    ("days", "keep", "gap", "entries"),
    [
        (60, False, 60, [("forgotten", 100), ("sold", 200)]),
        (59, False, 60, [("sold", D(400) / 3)]),
        (60, True, 60, [("sold", D(400) / 3)]),
        (200, False, None, [("sold", D(400) / 3)]),
    ],
    ids=["60 days", "59 days", "kept", "never"],
)
def test_3_6_a_purchase_long_after_sets_the_trade_aside(
    days: int, keep: bool, gap: int | None, entries: list[tuple[str, D]]
) -> None:
    """2 of 100, a half is sold; later 1 of 200 and all of the trade is sold."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    later = start + timedelta(days=days)
    quantity = "1" if len(entries) == 2 else "2.5"
    found = ledger(
        buy("SOLUSDT", 1, "100", "2", time=start),
        sell("SOLUSDT", 2, "110", "0.5", time=start),
        buy("SOLUSDT", 3, "200", "1", time=later),
        sell("SOLUSDT", 4, "210", quantity, time=later),
        wishes=Wishes(
            keep=frozenset({("SOLUSDT", "3")} if keep else ()),
            gap=None if gap is None else timedelta(days=gap),
        ),
    )
    told = [(trade.ended_by, trade.entry_price) for trade in found.trades]
    if len(entries) == 2:
        assert told == entries
        assert stack(found) == {"SOL": D("1.5")}
    else:
        [(ended_by, price)] = told
        assert (ended_by, round(price, 9)) == ("sold", round(D(400) / 3, 9))


def test_3_8_the_tax_view_knows_no_trades_and_agrees_in_total() -> None:
    """1 of 40 is set aside, 1 of 100 is traded at 110: trades say 10, FIFO says 70."""
    rows = [
        buy("SOLUSDT", 1, "40", "1"),
        buy("SOLUSDT", 2, "100", "1"),
        sell("SOLUSDT", 3, "110", "1"),
    ]
    found = ledger(*rows, wishes=Wishes(set_aside=frozenset({("SOLUSDT", "1")})))
    [position] = found.positions
    book = found.coin("SOL")
    assert book is not None
    price = D(110)
    by_trades = earned(found.all_trades) + price - position.cost
    by_tax = net(found) + price - book.tax_cost
    assert (by_trades, by_tax) == (80, 80)
    assert [match.opened_by for match in found.matches] == [1]
    assert [match.opened_by for match in found.trades[0].matches] == [2]


def test_3_8_a_conversion_and_dust_are_in_both_views() -> None:
    found = ledger(
        buy("SOLUSDT", 1, "100", "2"),
        changed("c", "1 SOL", "0.25 BNB", at(2)),
        changed("d", "1 SOL", "0.25 BNB", at(3), "dust"),
        prices=constant(SOL="150", BNB="600"),
    )
    assert (net(found), earned(found.all_trades)) == (100, 100)
    assert (held(found), stack(found)) == ({"BNB": D("0.25")}, {"BNB": D("0.25")})
