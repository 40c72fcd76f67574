"""`/api/v3/orderList`: OCO, OTO, OTOCO, OPO and OPOCO.
Source: binance-spot-api-docs rest-api.md (2026-07), binance-sdk-spot 13."""

import secrets
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, Account, Order
from simulator.accounts.refusals import Refusal
from simulator.accounts.waiting import OrderList
from simulator.rest import orders
from simulator.rest.shapes import Body
from simulator.rest.signed import Asked, Door, missing
from simulator.rest.spot_shapes import cancelled, order_body

TRADE = "enableSpotAndMarginTrading"
DAY_MS = 86_400_000
# our name of an order's parameter -> how a leg calls it, after its own first word
LEG = {
    "type": "Type",
    "side": "Side",
    "quantity": "Quantity",
    "price": "Price",
    "stopPrice": "StopPrice",
    "timeInForce": "TimeInForce",
    "newClientOrderId": "ClientOrderId",
}


class OrderListRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        read = self.door.signed
        trade = partial(self.door.signed, permission=TRADE)
        head = "/api/v3/"
        return [
            web.post(f"{head}orderList/oco", trade(self.oco)),
            web.post(f"{head}orderList/oto", trade(partial(self.oto, pays=False))),
            web.post(f"{head}orderList/otoco", trade(partial(self.otoco, pays=False))),
            web.post(f"{head}orderList/opo", trade(partial(self.oto, pays=True))),
            web.post(f"{head}orderList/opoco", trade(partial(self.otoco, pays=True))),
            web.delete(f"{head}orderList", trade(self.cancel)),
            web.get(f"{head}orderList", read(self.one)),
            web.get(f"{head}allOrderList", read(self.all)),
            web.get(f"{head}openOrderList", read(self.open)),
        ]

    def oco(self, asked: Asked) -> web.Response:
        above, below = (self._leg(asked, name) for name in ("above", "below"))
        group = self._group(asked, "OCO", pays=False)
        self._count(asked, 2)
        self.bank.lists.place_oco(asked.account, group, above, below)
        return self._placed(asked, group)

    def oto(self, asked: Asked, *, pays: bool) -> web.Response:
        legs = [self._leg(asked, "pending", pays=pays)]
        return self._oto(asked, legs, pays=pays)

    def otoco(self, asked: Asked, *, pays: bool) -> web.Response:
        names = ("pendingAbove", "pendingBelow")
        legs = [self._leg(asked, name, pays=pays) for name in names]
        return self._oto(asked, legs, pays=pays)

    def cancel(self, asked: Asked) -> web.Response:
        group = self._find(asked, is_cancel=True)
        self.bank.lists.cancel(asked.account, group)
        reports = [cancelled(asked.account.orders[number], asked) for number in group.order_ids]
        return web.json_response(
            {**list_body(group, asked.account, asked.scale), "orderReports": reports}
        )

    def one(self, asked: Asked) -> web.Response:
        return web.json_response(list_body(self._find(asked), asked.account, asked.scale))

    def open(self, asked: Asked) -> web.Response:
        mine = [group for group in asked.account.lists.values() if group.is_open]
        return web.json_response([list_body(g, asked.account, asked.scale) for g in mine])

    def all(self, asked: Asked) -> web.Response:
        first = asked.integer("fromId")
        start, end = asked.moment_ms("startTime"), asked.moment_ms("endTime")
        if first is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        if start is not None and end is not None and end - start > DAY_MS:
            raise Refusal(-1127, "More than 24 hours between startTime and endTime.")
        mine = [
            group
            for group in asked.account.lists.values()
            if group.id >= (first or 0)
            and (start or 0) <= group.time <= (2**62 if end is None else end)
        ]
        wanted = asked.count()
        is_forward = first is not None or start is not None
        chosen = mine[:wanted] if is_forward else mine[-wanted:]
        return web.json_response([list_body(g, asked.account, asked.scale) for g in chosen])

    # --- placing --------------------------------------------------------------------------------

    def _oto(self, asked: Asked, pending: list[Order], *, pays: bool) -> web.Response:
        working = self._leg(asked, "working")
        if working.type not in {"LIMIT", "LIMIT_MAKER"}:
            raise Refusal(-1158, "Working order must be LIMIT or LIMIT_MAKER.")
        if pays and (not working.is_buy or any(order.is_buy for order in pending)):
            raise Refusal(-2010, "Only a BUY working order and SELL pending orders are accepted.")
        if pays:
            for order in pending:
                order.quantity = 0
        group = self._group(asked, "OTO", pays=pays)
        self._count(asked, 1 + len(pending))
        self.bank.lists.place_oto(asked.account, group, working, pending)
        return self._placed(asked, group)

    def _leg(self, asked: Asked, name: str, *, pays: bool = False) -> Order:
        """`aboveType`, `abovePrice`, … as an order of its own. What both legs share (the side and
        quantity of an OCO, or of the pending pair) has no leg's name. Raises Refusal."""
        shared = "pending" if name.startswith("pending") else ""
        params = {"symbol": asked.text("symbol")}
        for ours, theirs in LEG.items():
            value = asked.params.get(f"{name}{theirs}")
            if value is None and ours in {"side", "quantity"}:
                key = f"{shared}{theirs}" if shared else theirs.lower()
                value = asked.params.get(key)
            if value is not None:
                params[ours] = value
        if pays:
            params["quantity"] = asked.text("workingQuantity")
        for needed in ("type", "side", "quantity"):
            if needed not in params:
                raise missing(f"{name}{LEG[needed]}")
        if "selfTradePreventionMode" in asked.params:
            params["selfTradePreventionMode"] = asked.params["selfTradePreventionMode"]
        leg = Asked(asked.account, asked.key, params, asked.scale)
        return orders.make_order(leg, self.bank, SPOT)

    def _group(self, asked: Asked, contingency: str, *, pays: bool) -> OrderList:
        name = orders.client_id(asked, "listClientOrderId") or secrets.token_urlsafe(16)[:22]
        symbol, now = asked.text("symbol"), self.bank.now_ms()
        return OrderList(symbol, self.bank.next_id(), name, contingency, now, [], pays=pays)

    def _count(self, asked: Asked, orders_placed: int) -> None:
        for _ in range(orders_placed):
            self.door.count_order(asked.account, SPOT)

    def _placed(self, asked: Asked, group: OrderList) -> web.Response:
        account = asked.account
        reports = [report_body(account.orders[number], asked.scale) for number in group.order_ids]
        return web.json_response(
            {**list_body(group, account, asked.scale), "orderReports": reports},
            headers=self.door.order_headers(account, SPOT),
        )

    def _find(self, asked: Asked, *, is_cancel: bool = False) -> OrderList:
        """By `orderListId`, or by the list's client id. Raises Refusal."""
        number = asked.integer("orderListId")
        name = asked.params.get("listClientOrderId" if is_cancel else "origClientOrderId")
        if number is None and not name:
            raise missing("orderListId")
        known = [
            group
            for group in asked.account.lists.values()
            if (group.id == number if number is not None else group.client_id == name)
        ]
        if not known:
            raise Refusal(-2011 if is_cancel else -2018, "Order list does not exist.")
        return max(known, key=lambda group: (group.is_open, group.id))


def list_body(group: OrderList, account: Account, scale: int) -> Body:
    return {
        "orderListId": group.id,
        "contingencyType": group.contingency,
        "listStatusType": group.status,
        "listOrderStatus": group.order_status,
        "listClientOrderId": group.client_id,
        "transactionTime": (group.updated or group.time) * (1000 if scale == 1 else 1),
        "symbol": group.symbol,
        "orders": [
            {"symbol": group.symbol, "orderId": number, "clientOrderId": order.client_id}
            for number in group.order_ids
            if (order := account.orders[number])
        ],
    }


def report_body(order: Order, scale: int) -> Body:
    shape = order_body(order, scale)
    shape["transactTime"] = shape.pop("updateTime")
    for name in ("time", "isWorking", "icebergQty"):
        shape.pop(name)
    if not order.stop_price:
        shape.pop("stopPrice")
    return shape
