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
from simulator.rest.signed import Door, SignedCall, missing
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

    def oco(self, call: SignedCall) -> web.Response:
        above, below = (self._leg(call, name) for name in ("above", "below"))
        group = self._group(call, "OCO", pays=False)
        self._count(call, 2)
        self.bank.lists.place_oco(call.account, group, above, below)
        return self._placed(call, group)

    def oto(self, call: SignedCall, *, pays: bool) -> web.Response:
        legs = [self._leg(call, "pending", pays=pays)]
        return self._oto(call, legs, pays=pays)

    def otoco(self, call: SignedCall, *, pays: bool) -> web.Response:
        names = ("pendingAbove", "pendingBelow")
        legs = [self._leg(call, name, pays=pays) for name in names]
        return self._oto(call, legs, pays=pays)

    def cancel(self, call: SignedCall) -> web.Response:
        group = self._find(call, is_cancel=True)
        self.bank.lists.cancel(call.account, group)
        reports = [cancelled(call.account.orders[number], call) for number in group.order_ids]
        return web.json_response(
            {**list_body(group, call.account, call.scale), "orderReports": reports}
        )

    def one(self, call: SignedCall) -> web.Response:
        return web.json_response(list_body(self._find(call), call.account, call.scale))

    def open(self, call: SignedCall) -> web.Response:
        mine = [group for group in call.account.lists.values() if group.is_open]
        return web.json_response([list_body(g, call.account, call.scale) for g in mine])

    def all(self, call: SignedCall) -> web.Response:
        first = call.integer("fromId")
        start, end = call.moment_ms("startTime"), call.moment_ms("endTime")
        if first is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        if start is not None and end is not None and end - start > DAY_MS:
            raise Refusal(-1127, "More than 24 hours between startTime and endTime.")
        mine = [
            group
            for group in call.account.lists.values()
            if group.id >= (first or 0)
            and (start or 0) <= group.time <= (2**62 if end is None else end)
        ]
        wanted = call.count()
        is_forward = first is not None or start is not None
        chosen = mine[:wanted] if is_forward else mine[-wanted:]
        return web.json_response([list_body(g, call.account, call.scale) for g in chosen])

    # --- placing --------------------------------------------------------------------------------

    def _oto(self, call: SignedCall, pending: list[Order], *, pays: bool) -> web.Response:
        working = self._leg(call, "working")
        if working.type not in {"LIMIT", "LIMIT_MAKER"}:
            raise Refusal(-1158, "Working order must be LIMIT or LIMIT_MAKER.")
        if pays and (not working.is_buy or any(order.is_buy for order in pending)):
            raise Refusal(-2010, "Only a BUY working order and SELL pending orders are accepted.")
        if pays:
            for order in pending:
                order.quantity = 0
        group = self._group(call, "OTO", pays=pays)
        self._count(call, 1 + len(pending))
        self.bank.lists.place_oto(call.account, group, working, pending)
        return self._placed(call, group)

    def _leg(self, call: SignedCall, name: str, *, pays: bool = False) -> Order:
        """`aboveType`, `abovePrice`, … as an order of its own. What both legs share (the side and
        quantity of an OCO, or of the pending pair) has no leg's name. Raises Refusal."""
        shared = "pending" if name.startswith("pending") else ""
        params = {"symbol": call.text("symbol")}
        for ours, theirs in LEG.items():
            value = call.params.get(f"{name}{theirs}")
            if value is None and ours in {"side", "quantity"}:
                key = f"{shared}{theirs}" if shared else theirs.lower()
                value = call.params.get(key)
            if value is not None:
                params[ours] = value
        if pays:
            params["quantity"] = call.text("workingQuantity")
        for needed in ("type", "side", "quantity"):
            if needed not in params:
                raise missing(f"{name}{LEG[needed]}")
        if "selfTradePreventionMode" in call.params:
            params["selfTradePreventionMode"] = call.params["selfTradePreventionMode"]
        leg = SignedCall(call.account, call.key, params, call.scale)
        return orders.make_order(leg, self.bank, SPOT)

    def _group(self, call: SignedCall, contingency: str, *, pays: bool) -> OrderList:
        name = orders.client_id(call, "listClientOrderId") or secrets.token_urlsafe(16)[:22]
        symbol, now = call.text("symbol"), self.bank.now_ms()
        return OrderList(symbol, self.bank.next_id(), name, contingency, now, [], pays=pays)

    def _count(self, call: SignedCall, orders_placed: int) -> None:
        for _ in range(orders_placed):
            self.door.count_order(call.account, SPOT)

    def _placed(self, call: SignedCall, group: OrderList) -> web.Response:
        account = call.account
        reports = [report_body(account.orders[number], call.scale) for number in group.order_ids]
        return web.json_response(
            {**list_body(group, account, call.scale), "orderReports": reports},
            headers=self.door.order_headers(account, SPOT),
        )

    def _find(self, call: SignedCall, *, is_cancel: bool = False) -> OrderList:
        """By `orderListId`, or by the list's client id. Raises Refusal."""
        number = call.integer("orderListId")
        name = call.params.get("listClientOrderId" if is_cancel else "origClientOrderId")
        if number is None and not name:
            raise missing("orderListId")
        known = [
            group
            for group in call.account.lists.values()
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
