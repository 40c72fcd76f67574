"""Orders of the exchange: what waits, what belongs together, what is lost on the way. The bank is
asked directly; prices are moved by trades of our own."""

from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, USDM, Account, Order
from simulator.accounts.refusals import Refusal
from simulator.accounts.truth import truth
from simulator.accounts.waiting import Algo, OrderList
from simulator.amounts import UNIT, to_units
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.tape import Trade

NOW_US = 1_790_035_200_000_000


class Desk:
    """A bank with one account, its last prices, and everything that its owner was told."""

    def __init__(self) -> None:
        self.now_us = NOW_US
        self.exchange = Exchange(Faults(), clock=lambda: self.now_us)
        for market in (SPOT, USDM):
            self.exchange.list_generated("BTCUSDT", None, seed=1, pace=1.0, market=market)
        self.bank = Bank(self.exchange)
        held = {"USDT": 100_000 * UNIT, "BTC": UNIT}
        self.account = self.bank.open_account("a", held, {"USDT": 50_000 * UNIT})
        self.account.pays_in_bnb = False
        self.told: list[dict[str, Any]] = []
        self.bank.listen(self.account.uid, lambda market, event: self.told.append(event))

    def price(self, market: str, text: str, quantity: str = "5", *, sells: bool = True) -> None:
        """Somebody trades at a price."""
        listed = self.bank.listed(market, "BTCUSDT")
        trade = Trade(1, to_units(text), to_units(quantity), self.now_us, sells, 1)
        self.bank.meet(listed, [trade])
        if market == USDM:
            self.bank.algo.meet(listed, [trade])

    @property
    def last(self) -> int:
        return self.bank.last_price(SPOT, "BTCUSDT")

    def around(self, parts: int) -> int:
        """A price of the tick so many thousandths away from the last one."""
        return self.last * (1000 + parts) // 1000 // 10_000_000 * 10_000_000

    def order(self, **more: Any) -> Order:
        number = self.bank.next_id()
        plain: dict[str, Any] = {
            "side": "SELL",
            "type": "LIMIT",
            "time_in_force": "GTC",
            "price": 0,
            "quantity": to_units("0.1"),
        }
        plain |= more
        market = plain.pop("market", SPOT)
        name = plain.pop("client_id", f"o{number}")
        now = self.bank.now_ms()
        return Order(market, "BTCUSDT", number, name, time=now, updated=now, **plain)

    def algo(self, **more: Any) -> Algo:
        number, now = self.bank.next_id(), self.bank.now_ms()
        plain: dict[str, Any] = {
            "side": "SELL",
            "type": "STOP_MARKET",
            "time_in_force": "GTC",
            "quantity": to_units("0.1"),
            "price": 0,
            "trigger_price": 0,
        }
        return Algo("BTCUSDT", number, f"a{number}", time=now, updated=now, **{**plain, **more})

    def group(self, contingency: str, *, pays: bool = False) -> OrderList:
        number = self.bank.next_id()
        now = self.bank.now_ms()
        return OrderList("BTCUSDT", number, f"l{number}", contingency, now, [], pays=pays)

    def states(self, kind: str) -> list[str]:
        rows = [event for event in self.told if event["e"] == kind]
        if kind == "listStatus":
            return [row["L"] for row in rows]
        return [
            (row.get("o") or row)["X"] if kind != "executionReport" else row["X"] for row in rows
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refusal(work: Any) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value.code, str(caught.value)


# --- conditional orders of USD-M ----------------------------------------------------------------


def opened_long(desk: Desk) -> None:
    desk.bank.place(desk.account, desk.order(market=USDM, side="BUY", type="MARKET"))
    desk.told.clear()


def price_of_usdm(desk: Desk) -> int:
    return desk.bank.last_price(USDM, "BTCUSDT")


def tick(price: int) -> int:
    return price // 10_000_000 * 10_000_000


def test_a_stop_triggers_makes_an_order_and_finishes(desk: Desk) -> None:
    opened_long(desk)
    stop = desk.algo(trigger_price=tick(price_of_usdm(desk) * 99 // 100))
    desk.bank.algo.place(desk.account, stop)
    assert stop.status == "NEW"
    below = stop.trigger_price / UNIT
    desk.price(USDM, f"{below + 1:.1f}")
    assert stop.status == "NEW"
    desk.price(USDM, f"{below:.1f}")
    assert desk.states("ALGO_UPDATE") == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    made = desk.account.orders[stop.order_id]
    assert (made.type, made.status, made.original_type) == ("MARKET", "FILLED", "STOP_MARKET")
    assert made.client_id == stop.client_id
    assert desk.account.positions["BTCUSDT:BOTH"].amount == 0


def test_a_trigger_without_margin_is_rejected_with_its_reason(desk: Desk) -> None:
    entry = desk.algo(
        side="BUY", quantity=to_units("100"), trigger_price=tick(price_of_usdm(desk) * 101 // 100)
    )
    desk.bank.algo.place(desk.account, entry)
    desk.price(USDM, f"{entry.trigger_price / UNIT:.1f}")
    assert (entry.status, entry.reason) == ("REJECTED", "Margin is insufficient.")
    assert entry.order_id == 0


def test_a_stop_that_would_trigger_at_once_is_refused(desk: Desk) -> None:
    stop = desk.algo(trigger_price=tick(price_of_usdm(desk) * 101 // 100))
    code, said = refusal(lambda: desk.bank.algo.place(desk.account, stop))
    assert (code, said) == (-2021, "Order would immediately trigger.")


def test_a_closing_stop_closes_what_the_position_is_by_then(desk: Desk) -> None:
    opened_long(desk)
    trigger = tick(price_of_usdm(desk) * 99 // 100)
    stop = desk.algo(quantity=0, close_position=True, trigger_price=trigger)
    desk.bank.algo.place(desk.account, stop)
    again = desk.algo(quantity=0, close_position=True, trigger_price=trigger)
    assert refusal(lambda: desk.bank.algo.place(desk.account, again))[0] == -4130
    opened_long(desk)
    desk.price(USDM, f"{trigger / UNIT:.1f}")
    assert desk.account.orders[stop.order_id].executed == to_units("0.2")
    assert desk.account.positions["BTCUSDT:BOTH"].amount == 0


def test_a_closing_stop_without_a_position_expires_at_its_trigger(desk: Desk) -> None:
    trigger = tick(price_of_usdm(desk) * 99 // 100)
    stop = desk.algo(quantity=0, close_position=True, trigger_price=trigger)
    desk.bank.algo.place(desk.account, stop)
    desk.price(USDM, f"{trigger / UNIT:.1f}")
    assert desk.states("ALGO_UPDATE") == ["NEW", "TRIGGERING", "EXPIRED"]


def test_a_trailing_stop_follows_and_says_new_twice(desk: Desk) -> None:
    opened_long(desk)
    start = price_of_usdm(desk) // UNIT
    trail = desk.algo(
        type="TRAILING_STOP_MARKET", activate_price=(start + 1000) * UNIT, callback_rate=UNIT
    )
    desk.bank.algo.place(desk.account, trail)
    desk.price(USDM, str(start + 500))
    assert not trail.is_active
    desk.price(USDM, str(start + 1000))
    desk.price(USDM, str(start + 3000))
    assert desk.states("ALGO_UPDATE") == ["NEW", "NEW"]
    back = (start + 3000) * 99 // 100  # one per cent below the highest price
    desk.price(USDM, str(back + 10))
    assert trail.status == "NEW"
    desk.price(USDM, str(back - 1))
    assert trail.status == "FINISHED"


@pytest.mark.parametrize("rate", ["0.05", "20.1"])
def test_a_callback_rate_has_its_bounds(desk: Desk, rate: str) -> None:
    trail = desk.algo(type="TRAILING_STOP_MARKET", callback_rate=to_units(rate))
    assert refusal(lambda: desk.bank.algo.place(desk.account, trail))[0] == -2007


def test_two_hundred_conditional_orders_are_the_most(desk: Desk) -> None:
    trigger = tick(price_of_usdm(desk) // 2)
    for _ in range(200):
        desk.bank.algo.place(desk.account, desk.algo(trigger_price=trigger))
    more = desk.algo(trigger_price=trigger)
    assert refusal(lambda: desk.bank.algo.place(desk.account, more))[0] == -4045


def test_a_client_id_is_free_again_when_its_order_has_ended(desk: Desk) -> None:
    trigger = tick(price_of_usdm(desk) // 2)
    first, second = desk.algo(trigger_price=trigger), desk.algo(trigger_price=trigger)
    second.client_id = first.client_id
    desk.bank.algo.place(desk.account, first)
    assert refusal(lambda: desk.bank.algo.place(desk.account, second))[0] == -4116
    desk.bank.algo.cancel(desk.account, first)
    desk.bank.algo.place(desk.account, second)
    assert [first.status, second.status] == ["CANCELED", "NEW"]


def test_an_order_that_lasts_as_long_as_its_position_expires_with_it(desk: Desk) -> None:
    opened_long(desk)
    trigger = tick(price_of_usdm(desk) // 2)
    stop = desk.algo(trigger_price=trigger, time_in_force="GTE_GTC")
    desk.bank.algo.place(desk.account, stop)
    desk.bank.place(desk.account, desk.order(market=USDM, type="MARKET"))
    desk.bank.tick()
    assert stop.status == "EXPIRED"


def test_a_stop_on_the_mark_price_does_not_hear_trades(desk: Desk) -> None:
    opened_long(desk)
    trigger = tick(price_of_usdm(desk) * 99 // 100)
    stop = desk.algo(trigger_price=trigger, working_type="MARK_PRICE")
    desk.bank.algo.place(desk.account, stop)
    desk.price(USDM, f"{trigger / UNIT:.1f}")
    desk.bank.tick()
    assert stop.status == "NEW"


# --- order lists of spot ------------------------------------------------------------------------


def placed_oco(desk: Desk) -> tuple[OrderList, Order, Order]:
    above = desk.order(type="LIMIT_MAKER", price=desk.around(20))
    below = desk.order(type="STOP_LOSS", stop_price=desk.around(-20))
    group = desk.group("OCO")
    desk.bank.lists.place_oco(desk.account, group, above, below)
    return group, above, below


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


# --- what ends by itself, and what is true ------------------------------------------------------


def test_a_countdown_cancels_what_is_open(desk: Desk) -> None:
    rest = desk.order(
        market=USDM, side="BUY", price=tick(price_of_usdm(desk) // 2), quantity=to_units("0.01")
    )
    desk.bank.place(desk.account, rest)
    desk.bank.countdowns.start(desk.account, "BTCUSDT", desk.bank.now_ms(), 5000)
    desk.now_us += 4_999_000
    desk.bank.tick()
    assert rest.status == "NEW"
    desk.now_us += 1_000
    desk.bank.tick()
    assert rest.status == "CANCELED"


def test_a_changed_order_says_amendment_and_keeps_its_id(desk: Desk) -> None:
    price = tick(price_of_usdm(desk) // 2)
    rest = desk.order(market=USDM, side="BUY", price=price, quantity=to_units("0.01"))
    desk.bank.place(desk.account, rest)
    desk.bank.modify(desk.account, rest, to_units("0.02"), price)
    kinds = [e["o"]["x"] for e in desk.told if e["e"] == "ORDER_TRADE_UPDATE"]
    assert kinds == ["NEW", "AMENDMENT"]
    assert (rest.quantity, rest.status) == (to_units("0.02"), "NEW")


def test_a_date_ends_an_order(desk: Desk) -> None:
    price = tick(price_of_usdm(desk) // 2)
    until = desk.bank.now_ms() + 1000
    rest = desk.order(
        market=USDM, side="BUY", price=price, quantity=to_units("0.01"), good_till=until
    )
    desk.bank.place(desk.account, rest)
    desk.now_us += 1_000_000
    desk.bank.tick()
    assert rest.status == "EXPIRED"


def test_the_truth_names_every_order_once(desk: Desk) -> None:
    opened_long(desk)
    stop = desk.algo(trigger_price=tick(price_of_usdm(desk) * 99 // 100))
    desk.bank.algo.place(desk.account, stop)
    desk.price(USDM, f"{stop.trigger_price / UNIT:.1f}")
    placed_oco(desk)
    said: Any = truth(desk.account)
    names = [row["client_id"] for row in said["orders"]]
    assert len(names) == len(set(names)) == 4
    row = next(row for row in said["orders"] if row["client_id"] == stop.client_id)
    assert (row["status"], row["executed"]) == ("FINISHED", "0.10000000")
    assert [item["client_id"] for item in said["triggered"]] == [stop.client_id]


def test_everything_is_there_after_a_restart(tmp_path: Any) -> None:
    first = Desk()
    bank = Bank(first.exchange, tmp_path / "accounts.json")
    account: Account = bank.open_account("a", {"BTC": UNIT}, {"USDT": 50_000 * UNIT})
    first.bank, first.account = bank, account
    stop = first.algo(trigger_price=tick(price_of_usdm(first) // 2))
    bank.algo.place(account, stop)
    placed_oco(first)
    bank.save()
    again = Bank(first.exchange, tmp_path / "accounts.json")
    kept = again.accounts[account.uid]
    assert kept.algos[stop.id].status == "NEW"
    assert list(again.algo.live) == [stop.id]
    assert {order.status for order in kept.orders.values()} == {"NEW"}
    assert [group.order_status for group in kept.lists.values()] == ["EXECUTING"]
