"""Funding, delivery, payments in coins (money.md 5), by hand."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from journal.ledger import Funding
from tests.money.by_hand import (
    at,
    buy,
    constant,
    held,
    kinds,
    ledger,
    moved,
    net,
    paid,
    perp,
    sell,
    settled,
    stack,
)

LONG = perp(1, "BUY", "100", "1", time=at(1, 7))


def hedge(long: str = "1", short: str = "1") -> list[object]:
    """Both sides open at seven, closed at nine at the price of their entry."""
    rows: list[object] = []
    for id, side, quantity, book in (
        (1, "BUY", long, "LONG"),
        (2, "SELL", short, "SHORT"),
        (3, "SELL", long, "LONG"),
        (4, "BUY", short, "SHORT"),
    ):
        hour = 7 if id < 3 else 9
        rows.append(perp(id, side, "100", quantity, position_side=book, time=at(1, hour)))
    return rows


def fundings(*events: object) -> dict[str, D]:
    return {trade.direction: trade.funding for trade in ledger(*events).trades}


def test_5_1_funding_belongs_to_what_was_held_at_the_hour() -> None:
    """The row comes four seconds later, when the position is closed."""
    found = ledger(
        LONG, perp(2, "SELL", "101", "1", time=at(1, 8, 0, 2)), settled("f", "-0.5", at(1, 8, 0, 4))
    )
    assert (found.trades[0].net, kinds(found)) == (D("0.5"), [])


def test_5_1_what_was_filled_at_the_hour_itself_was_not_held_before_it() -> None:
    found = ledger(perp(1, "BUY", "100", "1", time=at(1, 8)), settled("f", "-0.5", at(1, 8, 0, 4)))
    assert (found.positions[0].funding, paid(found, "funding")) == (0, D("-0.5"))
    assert kinds(found) == ["funding_without_position"]


def test_5_1_a_flip_within_the_seconds_takes_none() -> None:
    found = ledger(
        LONG,
        perp(2, "SELL", "101", "2", time=at(1, 8, 0, 2)),
        perp(3, "BUY", "100", "1", time=at(1, 9)),
        settled("f", "-0.5", at(1, 8, 0, 4)),
    )
    assert [(t.direction, t.net) for t in found.trades] == [("LONG", D("0.5")), ("SHORT", 1)]


def test_5_1_the_money_counts_at_the_rows_own_time() -> None:
    found = ledger(LONG, settled("f", "-0.5", at(1, 8, 0, 4)))
    [payment] = found.payments
    assert (payment.time, payment.key) == (at(1, 8, 0, 4), found.trades[0].key)


@pytest.mark.parametrize(("kind", "amount"), [("special", "-0.5"), ("funding", "0")])
def test_5_1_a_special_settlement_is_at_its_minute(kind: str, amount: str) -> None:
    """Opened at 07:30, settled at 07:45:09: at seven nothing was held."""
    found = ledger(
        perp(1, "BUY", "100", "1", time=at(1, 7, 30)),
        settled("f", "-0.5", at(1, 7, 45, 9), kind=kind),
    )
    assert found.positions[0].funding == D(amount)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [("0.0001", {"LONG": -1, "SHORT": 1}), ("-0.0001", {"LONG": 1, "SHORT": -1})],
)
def test_5_1_rows_of_both_sides_go_by_the_sign_of_the_rate(
    rate: str, expected: dict[str, int]
) -> None:
    rows = [settled(f"f{n}", n, at(1, 8, 0, 1), rate=D(rate)) for n in ("-1", "1")]
    assert fundings(*hedge(), *rows) == expected
    assert fundings(*hedge(), *rows[::-1]) == expected


def test_5_1_without_a_rate_the_larger_row_goes_to_the_larger_side() -> None:
    rows = [settled("a", "1", at(1, 8)), settled("b", "-3", at(1, 8))]
    assert fundings(*hedge("1", "3"), *rows) == {"LONG": 1, "SHORT": -3}
    assert fundings(*hedge("3", "1"), *rows) == {"LONG": -3, "SHORT": 1}


def test_5_1_one_row_for_both_goes_by_signed_size() -> None:
    """A long of 3 and a short of 1: -3 and +1 of what is 2 in all."""
    row = settled("f", "-4", at(1, 8))
    assert fundings(*hedge("3", "1"), row) == {"LONG": -6, "SHORT": 2}


def test_5_1_rows_that_name_their_side_are_believed() -> None:
    rows = [
        settled("a", "-1", at(1, 8), position_side="SHORT"),
        settled("b", "2", at(1, 8), position_side="LONG"),
    ]
    assert fundings(*hedge(), *rows) == {"LONG": 2, "SHORT": -1}
    assert fundings(*hedge(), rows[0]) == {"LONG": 0, "SHORT": -1}


def test_5_1_with_nothing_held_it_is_realised_all_the_same() -> None:
    found = ledger(settled("f", "-0.5", at(1, 8)))
    assert (paid(found, "funding"), kinds(found)) == (D("-0.5"), ["funding_without_position"])


@pytest.mark.parametrize(("side", "price"), [("BUY", 120), ("SELL", 80)])
def test_5_2_a_delivery_ends_the_position_at_what_it_paid(side: str, price: int) -> None:
    found = ledger(
        perp(1, side, "90", "1", time=at(1)),
        perp(2, side, "110", "1", time=at(2)),
        settled("d", "40", at(3), kind="delivery"),
    )
    [trade] = found.trades
    assert (trade.net, trade.exit_price, trade.ended_by) == (40, price, "delivery")
    assert (found.positions, found.payments) == ([], [])


def test_5_2_a_delivery_of_both_sides_ends_both_and_loses_no_row() -> None:
    found = ledger(
        *hedge()[:2],
        settled("a", "5", at(3), kind="delivery"),
        settled("b", "-3", at(3), kind="delivery"),
    )
    assert (net(found), found.positions, kinds(found)) == (2, [], [])


@pytest.mark.parametrize("method", ["fifo", "lifo", "hifo", "average"])
def test_5_2_by_the_average_entry_whatever_the_method(method: str) -> None:
    """100 and 110, one sold at 120 (by the exchange at 105), delivered for 15: 120."""
    found = ledger(
        perp(1, "BUY", "100", "1"),
        perp(2, "BUY", "110", "1"),
        perp(3, "SELL", "120", "1"),
        settled("d", "15", at(4), kind="delivery"),
        method=method,
    )
    assert (net(found), found.matches[-1].exit_price) == (30, 120)


def test_5_3_funding_paid_in_a_coin_counts_and_leaves_the_coins_stack_first() -> None:
    """0.01 BNB at 600, bought at 500: -6 of funding, +1 of BNB."""
    found = ledger(
        buy("BNBUSDT", 5, "500", "1", time=at(1, 6)),
        LONG,
        settled("f", "-0.01", at(1, 8), asset="BNB"),
        prices=constant(BNB="600"),
    )
    assert (paid(found, "funding"), [(m.kind, m.net) for m in found.matches]) == (
        -6,
        [("paid", 1)],
    )
    assert held(found) == {"BNB": D("0.99"), "BTCUSDT": 1}


def test_5_3_funding_received_in_a_coin_comes_into_the_stack_at_its_worth() -> None:
    found = ledger(LONG, settled("f", "0.01", at(1, 8), asset="BNB"), prices=constant(BNB="600"))
    assert (found.trades[0].funding, stack(found)) == (6, {"BNB": D("0.01")})
    assert [p.cost for p in found.positions if p.asset == "BNB"] == [6]


def test_5_3_a_contracts_fee_in_a_coin_leaves_that_coin() -> None:
    found = ledger(
        buy("BNBUSDT", 5, "500", "1", time=at(1, 6)),
        perp(1, "BUY", "100", "1", fee="0.01 BNB", time=at(1, 7)),
        perp(2, "SELL", "110", "1", time=at(1, 8)),
        prices=constant(BNB="600"),
    )
    assert {(m.asset, m.kind, m.net) for m in found.matches} == {
        ("BTCUSDT", "closed", 4),
        ("BNB", "fee", 1),
    }


@pytest.mark.parametrize(("day", "nets"), [(1, [7, 0]), (3, [8, -1]), (5, [8, -1])])
def test_5_4_insurance_is_a_fee_of_the_open_trade_else_of_the_last(
    day: int, nets: list[int]
) -> None:
    """Long of the 1st and 2nd, short of the 3rd and 4th."""
    found = ledger(
        perp(1, "BUY", "100", "1"),
        perp(2, "SELL", "108", "1"),
        perp(3, "SELL", "100", "1"),
        perp(4, "BUY", "100", "1"),
        settled("i", "-1", at(day, 12), kind="fee"),
    )
    assert [trade.net for trade in found.trades] == nets
    assert [(p.kind, p.worth) for p in found.payments] == [("fee", -1)]


def test_5_4_of_a_contract_never_traded_it_is_income() -> None:
    found = ledger(settled("i", "-1", at(1), kind="fee"))
    assert (paid(found, "income"), kinds(found)) == (-1, [])


def test_5_4_a_dividend_taken_back_is_negative_income_and_a_match() -> None:
    found = ledger(
        moved("a", "SOL", "1", at(1), kind="income"),
        moved("b", "SOL", "-0.4", at(2), kind="income"),
        prices=constant(SOL="100"),
    )
    assert (paid(found, "income"), [(m.kind, m.net) for m in found.matches]) == (60, [("paid", 0)])


def test_5_4_a_result_without_fills_is_its_own_kind() -> None:
    found = ledger(moved("r", "USDT", "12", at(1), kind="result"))
    assert [(p.kind, p.worth) for p in found.payments] == [("result", 12)]


def test_5_1_in_the_hour_of_a_changed_clock_minutes_are_utc() -> None:
    """The row of 08:00 UTC belongs to 08:00 UTC, whatever a zone's clock says."""
    time = datetime(2026, 3, 29, 8, 0, 3, tzinfo=UTC)
    found = ledger(
        perp(1, "BUY", "100", "1", time=time.replace(hour=7, minute=59, second=59)),
        Funding("f", time, "BTCUSDT", D("-1"), "USDT"),
    )
    assert found.positions[0].funding == -1


def test_5_3_a_fee_rebate_in_a_coin_comes_into_the_stack() -> None:
    found = ledger(
        perp(1, "BUY", "100", "1", fee="-0.001 BNB"),
        sell("BNBUSDT", 2, "600", "0.001"),
        prices=constant(BNB="600"),
    )
    assert (kinds(found), found.positions[0].entry_fees) == ([], D("-0.6"))
