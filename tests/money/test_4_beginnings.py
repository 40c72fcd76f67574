"""Where history begins, lots of unknown cost, methods (money.md 4), by hand."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal as D
from typing import Any

import pytest

from journal.ledger import Fill, Opening, compute, opening_of
from tests.money.by_hand import (
    at,
    buy,
    changed,
    constant,
    held,
    kinds,
    ledger,
    moved,
    net,
    paid,
    perp,
    sell,
    stack,
)


def test_4_1_an_opening_is_a_lot_of_that_moments_worth_marked_assumed() -> None:
    found = ledger(
        moved("o", "SOL", "2", at(1), kind="opening"),
        sell("SOLUSDT", 2, "150", "1"),
        prices=constant(SOL="100"),
    )
    [payment] = found.payments
    assert (payment.kind, payment.worth, payment.is_assumed) == ("opening", 200, True)
    assert [(m.net, m.apart) for m in found.matches] == [(50, 1)]
    assert (found.trades, stack(found)) == ([], {"SOL": 1})


def test_4_1_opening_money_is_told_and_has_no_lots() -> None:
    found = ledger(moved("o", "USDT", "500", at(1), kind="opening"))
    assert (paid(found, "opening"), found.positions) == (500, [])


SHORT_INSIDE = [
    perp(1, "BUY", "100", "1", "12.3"),
    perp(2, "SELL", "110", "1", "0"),
    perp(3, "BUY", "105", "1", "5"),
]


def opened(fills: list[Fill], now: str, entry: str | None = None) -> Opening | None:
    return opening_of(fills, D(now), None if entry is None else D(entry))


def test_4_2_the_opening_is_what_is_now_less_all_fills() -> None:
    """A short of 1 at 100 + 12.3: it is never turned round."""
    opening = opened(SHORT_INSIDE, "0")
    assert opening is not None
    assert (opening.quantity, opening.price, opening.is_assumed) == (-1, D("112.3"), False)
    found = compute(SHORT_INSIDE, openings=[opening])
    assert [(t.direction, t.net, t.is_apart) for t in found.trades] == [
        ("SHORT", D("12.3"), True),
        ("SHORT", 5, False),
    ]
    assert (found.positions, kinds(found)) == ([], [])


def test_4_2_the_average_before_the_first_close_tells_the_opening_lots() -> None:
    """3 at (120 - 20 / 1) = 100 in all, 1 of them known at 120: 2 at 90."""
    opening = opened([perp(1, "BUY", "120", "1", "0"), perp(2, "SELL", "120", "1", "20")], "2")
    assert opening is not None
    assert (opening.quantity, opening.price) == (2, 90)


def test_4_2_of_a_short_too() -> None:
    """-3 in all at 100 + 20 / 2 = 110, 1 known at 130: 2 at 100."""
    opening = opened([perp(1, "SELL", "130", "1", "0"), perp(2, "BUY", "100", "2", "20")], "-1")
    assert opening is not None
    assert (opening.quantity, opening.price) == (-2, 100)


def test_4_2_a_first_close_that_turns_the_position_closed_only_what_was_held() -> None:
    """1 was open at 100; 3 are sold at 110, of which 1 closes."""
    opening = opened([perp(1, "SELL", "110", "3", "10")], "-2")
    assert opening is not None
    assert (opening.quantity, opening.price) == (1, 100)


@pytest.mark.parametrize(
    ("entry", "price", "is_assumed"), [("110", "105", False), (None, "120", True)]
)
def test_4_2_without_a_close_the_positions_own_entry_tells_it_else_the_first_price(
    entry: str | None, price: str, is_assumed: bool
) -> None:
    """3 at 110 in all, 1 of them at 120: 2 at 105."""
    opening = opened([perp(1, "BUY", "120", "1", "0")], "3", entry)
    assert opening is not None
    assert (opening.quantity, opening.price, opening.is_assumed) == (2, D(price), is_assumed)


def test_4_2_nothing_was_held_before_where_the_fills_say_it_all() -> None:
    assert opened([perp(1, "BUY", "120", "1", "0")], "1") is None


def test_4_2_a_hedge_side_that_only_closes_had_been_open() -> None:
    found = ledger(perp(1, "SELL", "110", "2", "20", position_side="LONG"))
    [trade] = found.trades
    assert (trade.direction, trade.entry_price, trade.net, trade.is_apart) == (
        "LONG",
        100,
        20,
        True,
    )
    assert kinds(found) == ["history_begins_inside_a_position"]


@pytest.mark.parametrize(
    ("method", "apart"), [("fifo", [1, 0]), ("lifo", [0, 1]), ("average", [D("0.5"), D("0.5")])]
)
def test_4_4_what_comes_of_unknown_cost_is_apart_by_its_lots_or_its_share(
    method: str, apart: list[Any]
) -> None:
    found = ledger(
        moved("o", "SOL", "1", at(1), kind="opening"),
        moved("d", "SOL", "1", at(2)),
        sell("SOLUSDT", 3, "150", "1"),
        sell("SOLUSDT", 4, "150", "1"),
        method=method,
        prices=constant(SOL="100"),
    )
    assert [match.apart for match in found.matches] == apart
    assert net(found) == 100


def test_4_4_an_arrival_without_any_price_is_of_unknown_cost() -> None:
    found = ledger(moved("i", "AIR", "100", at(1), kind="income"), sell("AIRUSDT", 2, "0.5", "100"))
    assert [(match.net, match.apart) for match in found.matches] == [(50, 1)]


@pytest.mark.parametrize(("unknown", "is_apart"), [("0.01", False), ("0.0102", True)])
def test_4_4_a_trade_is_apart_above_a_hundredth(unknown: str, is_apart: bool) -> None:
    """A contract's opening of so many, and 1 in all at the end."""
    known = D(1) - D(unknown)
    fills = [perp(1, "BUY", "100", str(known), "0"), perp(2, "SELL", "110", "1", "10")]
    opening = opened(fills, "0")
    assert opening is not None
    assert opening.quantity == D(unknown)
    [trade] = compute(fills, openings=[opening]).trades
    assert (trade.apart, trade.is_apart) == (D(unknown), is_apart)


@pytest.mark.parametrize(
    ("method", "expected"), [("fifo", 30), ("lifo", 20), ("hifo", 10), ("average", 20)]
)
def test_4_4_a_method_chooses_the_lot(method: str, expected: int) -> None:
    rows = [buy("SOLUSDT", n, price, "1") for n, price in enumerate(("100", "120", "110"), 1)]
    assert net(ledger(*rows, sell("SOLUSDT", 4, "130", "1"), method=method)) == expected


def test_4_4_hifo_goes_by_unit_cost_with_its_fee_and_of_equal_ones_the_oldest() -> None:
    rows = [
        buy("SOLUSDT", 1, "100", "1", "5 USDT"),
        buy("SOLUSDT", 2, "104", "1"),
        buy("SOLUSDT", 3, "52.5", "2", "0 USDT"),
        buy("SOLUSDT", 4, "105", "1"),
    ]
    found = ledger(*rows, sell("SOLUSDT", 5, "105", "3"), method="hifo")
    assert [match.opened_by for match in found.matches] == [1, 4, 2]


def test_4_4_of_a_short_hifo_takes_what_was_sold_lowest() -> None:
    fills = [perp(1, "SELL", "110", "1"), perp(2, "SELL", "100", "1"), perp(3, "BUY", "90", "1")]
    assert net(compute(fills, method="hifo")) == 10


def test_4_4_lots_stand_by_their_own_time_wherever_they_have_been() -> None:
    """Of 3 January by a swap, of 1 and 2 January by deposits: the oldest leaves first."""
    found = ledger(
        buy("OLDUSDT", 1, "10", "1"),
        moved("d", "NEW", "1", at(2)),
        changed("s", "1 OLD", "1 NEW", at(3), "swap"),
        sell("NEWUSDT", 4, "100", "1"),
        prices=constant(NEW="50"),
    )
    [match] = found.matches
    assert (match.opened_at, match.net) == (at(1), 90)


def test_4_4_an_opening_stands_before_all_others() -> None:
    found = ledger(
        moved("d", "SOL", "1", at(1)),
        moved("o", "SOL", "1", at(2), kind="opening"),
        sell("SOLUSDT", 3, "150", "1"),
        prices=constant(SOL="100"),
    )
    assert [match.opened_by for match in found.matches] == ["o"]


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "average"])
def test_4_5_the_exchange_is_compared_by_its_own_rule_whatever_the_method(method: str) -> None:
    """100 and 110 are 105 on average; sold at 120 the exchange books 15."""
    fills = [
        perp(1, "BUY", "100", "1", "0"),
        perp(2, "BUY", "110", "1", "0"),
        perp(3, "SELL", "120", "1", "15"),
        perp(4, "SELL", "130", "1", "25"),
    ]
    found = compute(fills, method=method)
    assert kinds(found) == []
    contract = found.contract("BTCUSDT")
    assert contract is not None
    [book] = contract.books.values()
    assert (book.average_realized, found.trades[0].gross) == (40, 40)
    half = compute(fills[:3], method=method)
    assert half.positions[0].exchange_entry == 105


@pytest.mark.parametrize(
    "fills",
    [
        [perp(1, "BUY", "100", "1", "0"), perp(2, "SELL", "120", "1", "19")],
        [perp(1, "BUY", "100", "1", "7")],
    ],
)
def test_4_5_a_difference_is_a_problem_that_names_both(fills: list[Fill]) -> None:
    [problem] = compute(fills).problems
    assert problem.kind == "exchange_differs"
    assert str(fills[-1].realized) in problem.message
    assert (problem.worth, problem.symbol) in {(1, "BTCUSDT"), (7, "BTCUSDT")}


def test_4_5_the_method_moves_money_only_between_realised_and_unrealised() -> None:
    fills = [
        perp(1, "BUY", "100", "1"),
        perp(2, "BUY", "110", "1"),
        perp(3, "SELL", "120", "1"),
    ]
    for method, realised in (("fifo", 20), ("lifo", 10), ("average", 15)):
        found = compute(fills, method=method)
        assert net(found) == realised
        assert net(found) + 120 - found.positions[0].cost == 30
    assert held(found) == {"BTCUSDT": 1}
