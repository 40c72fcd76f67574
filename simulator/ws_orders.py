"""What the WebSocket API does with orders: the same as REST, under its own names.
Source: web-socket-api.md (2026-07), binance-sdk-spot 13.2."""

import json
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.rest.order_lists import OrderListRest
from simulator.rest.signed import Door, SignedCall
from simulator.rest.spot_orders import SpotOrdersRest

TRADE = "enableSpotAndMarginTrading"
READ = "enableReading"
Handler = Callable[[SignedCall], web.Response | Awaitable[web.Response]]


class WsOrders:
    def __init__(self, bank: Bank, door: Door) -> None:
        orders, lists = SpotOrdersRest(bank, door), OrderListRest(bank, door)
        self._handlers: dict[str, tuple[Handler, str]] = {
            "allOrders": (orders.all_orders, READ),
            "order.amendments": (orders.amendments, READ),
            "account.rateLimits.orders": (orders.order_limits, READ),
            "order.cancelReplace": (orders.cancel_replace, TRADE),
            "order.amend.keepPriority": (orders.amend, TRADE),
            "openOrders.cancelAll": (orders.cancel_all, TRADE),
            "orderList.place.oco": (lists.oco, TRADE),
            "orderList.place.oto": (partial(lists.oto, pays=False), TRADE),
            "orderList.place.otoco": (partial(lists.otoco, pays=False), TRADE),
            "orderList.place.opo": (partial(lists.oto, pays=True), TRADE),
            "orderList.place.opoco": (partial(lists.otoco, pays=True), TRADE),
            "orderList.cancel": (lists.cancel, TRADE),
            "orderList.status": (lists.one, READ),
            "openOrderLists.status": (lists.open, READ),
            "allOrderLists": (lists.all, READ),
        }

    def permission_of(self, method: str) -> str | None:
        """None: no method of orders."""
        known = self._handlers.get(method)
        return None if known is None else known[1]

    async def obey(self, method: str, call: SignedCall) -> tuple[int, object]:
        """(status, result or error). Raises Refusal."""
        answer = self._handlers[method][0](call)
        told = answer if isinstance(answer, web.Response) else await answer
        return told.status, json.loads(told.text or "{}")
