"""Orders of the exchange: what waits, what belongs together, what is lost on the way. The bank is
asked directly; prices are moved by trades of our own."""

from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.records import USDM, Account
from simulator.accounts.truth import truth
from simulator.amounts import UNIT, to_units
from tests.simulator.desk import Desk, placed_oco, refusal


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
