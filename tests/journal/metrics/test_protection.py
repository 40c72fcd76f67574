"""Whose stop it is, and which way it was moved."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from journal.metrics.protection import Laid, Open, protection

AT = datetime(2026, 9, 21, 12, tzinfo=UTC)


def minute(number: float) -> datetime:
    return AT + timedelta(minutes=number)


def long(**more: Any) -> Open:
    plain: dict[str, Any] = {
        "is_long": True,
        "position_side": "BOTH",
        "entry": D(100),
        "opened": minute(0),
        "closed": minute(60),
    }
    return Open(**{**plain, **more})


def laid(price: str | None, begins: float, ends: float | None = None, **more: Any) -> Laid:
    plain: dict[str, Any] = {
        "kind": "stop",
        "side": "SELL",
        "position_side": "BOTH",
        "quantity": D(1),
        "name": f"algo:{begins}",
        "status": "CANCELED",
    }
    return Laid(
        price=D(price) if price else None,
        begins=minute(begins),
        ends=None if ends is None else minute(ends),
        **{**plain, **more},
    )


def test_the_first_stop_below_a_long_is_its_stop() -> None:
    found = protection(long(), [laid("97", 5), laid("95", 1, 5), laid("110", 2, kind="target")])
    assert (found.stop, found.stop_at) == (D(95), minute(1))
    assert (found.target, found.target_at) == (D(110), minute(2))
    assert [order.price for order in found.path] == [D(95), D(110), D(97)]


def test_a_stop_placed_with_the_entry_counts_and_one_of_before_does_not() -> None:
    old, new = laid("90", -60, -30), laid("95", -1)
    found = protection(long(), [old, new])
    assert (found.stop, len(found.path)) == (D(95), 1)


def test_what_was_placed_after_the_close_protects_nothing() -> None:
    assert protection(long(), [laid("95", 61)]).path == []


def test_a_stop_in_profit_is_a_move_and_no_risk() -> None:
    """The first one that is seen already secures a gain: nobody knows what was risked."""
    found = protection(long(), [laid("103", 10)])
    assert (found.stop, found.moves) == (None, "kept")


def test_a_short_is_the_other_way_round() -> None:
    short = long(is_long=False)
    orders = [
        laid("105", 1, 5, side="BUY"),
        laid("103", 5, side="BUY"),
        laid("95", 1, side="SELL"),
        laid("90", 1, side="BUY", kind="target"),
    ]
    found = protection(short, orders)
    assert (found.stop, found.target, found.moves) == (D(105), D(90), "towards")


def test_the_other_side_of_a_hedge_is_another_trade() -> None:
    trade = long(position_side="LONG")
    orders = [laid("95", 1, position_side="SHORT"), laid("94", 2, position_side="LONG")]
    assert protection(trade, orders).stop == D(94)


def test_moves_are_told_by_the_stop_that_was_replaced() -> None:
    kept = [laid("95", 1)]
    towards = [laid("95", 1, 5), laid("97", 5)]
    away = [laid("95", 1, 5), laid("93", 5.5)]
    both = [laid("95", 1, 5), laid("97", 5, 9), laid("94", 9)]
    found = [protection(long(), orders).moves for orders in ([], kept, towards, away, both)]
    assert found == ["", "kept", "towards", "away", "both"]


def test_the_new_one_may_be_placed_before_the_old_one_is_taken_away() -> None:
    assert protection(long(), [laid("95", 1, 5.5), laid("97", 5)]).moves == "towards"


def test_two_stops_at_once_are_a_ladder_and_no_move() -> None:
    assert protection(long(), [laid("95", 1), laid("93", 2)]).moves == "kept"


def test_a_stop_that_follows_the_price_has_none_of_its_own() -> None:
    found = protection(long(), [laid(None, 1), laid("95", 2)])
    assert (found.stop, found.path[0].price, found.moves) == (D(95), None, "kept")
