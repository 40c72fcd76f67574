"""Order lists of spot: one of two, and one that brings others."""

from simulator.accounts.records import SPOT, Order
from simulator.accounts.waiting import OrderList
from simulator.amounts import UNIT, to_units
from tests.simulator.desk import Desk, placed_oco, refusal


def test_one_of_two_holds_back_one_amount(desk: Desk) -> None:
    placed_oco(desk)
    assert desk.account.holding("BTC").locked == to_units("0.1")
    assert desk.states("listStatus") == ["EXECUTING"]


def test_the_target_is_filled_and_the_stop_gives_way(desk: Desk) -> None:
    group, above, below = placed_oco(desk)
    desk.price(SPOT, f"{above.price / UNIT:.2f}", sells=False)
    assert (above.status, below.status, below.reason) == ("FILLED", "EXPIRED", "OCO_TRIGGER")
    assert group.order_status == "ALL_DONE"
    assert desk.account.holding("BTC").locked == 0
    assert desk.account.holding("BTC").free == to_units("0.9")


def test_the_stop_triggers_and_the_target_gives_way(desk: Desk) -> None:
    _, above, below = placed_oco(desk)
    desk.price(SPOT, f"{below.stop_price / UNIT:.2f}")
    assert (above.status, below.status) == ("EXPIRED", "FILLED")
    assert desk.account.holding("BTC").free == to_units("0.9")
    assert desk.account.holding("BTC").locked == 0


def test_to_cancel_one_is_to_cancel_both(desk: Desk) -> None:
    group, above, below = placed_oco(desk)
    desk.bank.cancel(desk.account, below)
    assert (above.status, below.status) == ("CANCELED", "CANCELED")
    assert group.order_status == "ALL_DONE"
    assert desk.account.holding("BTC").free == UNIT


def test_prices_on_the_wrong_side_are_refused(desk: Desk) -> None:
    above = desk.order(type="LIMIT_MAKER", price=desk.around(-20))
    below = desk.order(type="STOP_LOSS", stop_price=desk.around(-30))
    work = lambda: desk.bank.lists.place_oco(  # noqa: E731
        desk.account, desk.group("OCO"), above, below
    )
    assert refusal(work)[0] == -2010
    assert desk.account.holding("BTC").locked == 0
    assert not desk.account.lists


def placed_otoco(desk: Desk, *, pays: bool) -> tuple[OrderList, Order, Order, Order]:
    working = desk.order(side="BUY", price=desk.around(-10), quantity=to_units("0.5"))
    quantity = 0 if pays else to_units("0.4")
    above = desk.order(type="LIMIT_MAKER", price=desk.around(20), quantity=quantity)
    below = desk.order(type="STOP_LOSS", stop_price=desk.around(-30), quantity=quantity)
    group = desk.group("OTO", pays=pays)
    desk.bank.lists.place_oto(desk.account, group, working, [above, below])
    return group, working, above, below


def test_the_pending_orders_come_when_all_of_the_working_one_is_filled(desk: Desk) -> None:
    _, working, above, below = placed_otoco(desk, pays=False)
    assert (above.status, below.status) == ("PENDING_NEW", "PENDING_NEW")
    text = f"{working.price / UNIT:.2f}"
    desk.price(SPOT, text, "0.2")
    assert (working.status, above.status) == ("PARTIALLY_FILLED", "PENDING_NEW")
    desk.price(SPOT, text, "0.3")
    assert (working.status, above.status, below.status) == ("FILLED", "NEW", "NEW")
    assert desk.account.holding("BTC").locked == to_units("0.4")
    desk.price(SPOT, f"{below.stop_price / UNIT:.2f}")
    assert (above.status, below.status) == ("EXPIRED", "FILLED")
    assert desk.states("listStatus") == ["EXECUTING", "EXECUTING", "ALL_DONE"]


def test_a_working_order_that_is_cancelled_takes_the_pending_ones_along(desk: Desk) -> None:
    group, working, above, below = placed_otoco(desk, pays=False)
    desk.bank.lists.cancel(desk.account, group)
    assert {order.status for order in (working, above, below)} == {"CANCELED"}
    assert desk.account.holding("USDT").locked == 0
    assert desk.states("listStatus")[-1] == "ALL_DONE"


def test_what_pays_for_the_rest_gives_its_quantity(desk: Desk) -> None:
    """0.5 BTC come in and 0.0005 of them are the fee, paid from the coin that was free."""
    _, working, above, below = placed_otoco(desk, pays=True)
    desk.price(SPOT, f"{working.price / UNIT:.2f}")
    assert (above.quantity, below.quantity) == (to_units("0.5"), to_units("0.5"))
    assert desk.account.holding("BTC").free == UNIT - to_units("0.0005")


def test_where_nothing_else_is_free_the_fee_lowers_the_quantity(desk: Desk) -> None:
    desk.account.holding("BTC").free = 0
    _, working, above, _ = placed_otoco(desk, pays=True)
    desk.price(SPOT, f"{working.price / UNIT:.2f}")
    assert above.quantity == to_units("0.4995")
    assert desk.account.holding("BTC").locked == to_units("0.4995")
    assert desk.account.holding("BTC").free == 0


def test_pending_orders_that_cannot_be_placed_expire(desk: Desk) -> None:
    group, working, above, below = placed_otoco(desk, pays=False)
    desk.account.holding("BTC").free = 0
    above.quantity = below.quantity = to_units("0.6")
    desk.price(SPOT, f"{working.price / UNIT:.2f}")
    assert (above.status, below.status) == ("EXPIRED", "EXPIRED")
    assert group.order_status == "ALL_DONE"
