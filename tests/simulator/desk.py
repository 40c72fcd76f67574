"""A bank that is asked directly; prices are moved by trades of our own."""

from typing import Any

import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, USDM, Order
from simulator.accounts.refusals import Refusal
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


def refusal(work: Any) -> tuple[int, str]:
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value.code, str(caught.value)


def placed_oco(desk: Desk) -> tuple[OrderList, Order, Order]:
    above = desk.order(type="LIMIT_MAKER", price=desk.around(20))
    below = desk.order(type="STOP_LOSS", stop_price=desk.around(-20))
    group = desk.group("OCO")
    desk.bank.lists.place_oco(desk.account, group, above, below)
    return group, above, below
