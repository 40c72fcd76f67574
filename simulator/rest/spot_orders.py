"""Orders of `/api/v3`. Source: binance-spot-api-docs rest-api.md (2026-07-21)."""

import asyncio
import json
from collections.abc import Callable
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, Order
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.rest import orders
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall, missing
from simulator.rest.spot_shapes import RATES, cancelled, day, order_body, placed

TRADE = "enableSpotAndMarginTrading"
# How long a market order on a replayed tape waits for its trades before it is answered.
FILL_SECONDS = 1.0


class SpotOrdersRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        read = self.door.signed
        trade = partial(self.door.signed, permission=TRADE)
        head = "/api/v3/"
        return [
            web.get(f"{head}openOrders", read(self.open_orders)),
            web.get(f"{head}allOrders", read(self.all_orders)),
            web.get(f"{head}order", read(self.order)),
            web.get(f"{head}order/amendments", read(self.amendments)),
            web.get(f"{head}rateLimit/order", read(self.order_limits)),
            web.post(f"{head}order", trade(self.place)),
            web.post(f"{head}order/test", trade(self.test)),
            web.delete(f"{head}order", trade(self.cancel)),
            web.delete(f"{head}openOrders", trade(self.cancel_all)),
            web.post(f"{head}order/cancelReplace", trade(self.cancel_replace)),
            web.put(f"{head}order/amend/keepPriority", trade(self.amend)),
        ]

    def open_orders(self, call: SignedCall) -> web.Response:
        return web.json_response(open_orders(call, self.bank))

    def all_orders(self, call: SignedCall) -> web.Response:
        symbol = call.text("symbol")
        self.bank.listed(SPOT, symbol)
        start, end = day(call)
        first = call.integer("orderId") or 0
        orders = [
            order
            for order in call.account.orders.values()
            if order.market == SPOT
            and order.symbol == symbol
            and order.id >= first
            and start <= order.time <= end
        ]
        wanted = call.count()
        chosen = orders[:wanted] if first or "startTime" in call.params else orders[-wanted:]
        return web.json_response([order_body(order, call.scale) for order in chosen])

    def order(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, SPOT)
        return web.json_response(order_body(order, call.scale))

    def amendments(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, SPOT)
        return web.json_response(
            [
                {
                    "symbol": order.symbol,
                    "orderId": order.id,
                    "executionId": number,
                    "origClientOrderId": client_id,
                    "newClientOrderId": order.client_id,
                    "origQty": to_text(before),
                    "newQty": to_text(after),
                    "time": at,
                }
                for number, (at, before, after, client_id) in enumerate(order.amends, 1)
            ]
        )

    def order_limits(self, call: SignedCall) -> web.Response:
        short, of_day = self.door.orders_counted(call.account, SPOT)
        limits = (("SECOND", 10, 50, short), ("DAY", 1, 160_000, of_day))
        return web.json_response(
            [
                {
                    "rateLimitType": "ORDERS",
                    "interval": interval,
                    "intervalNum": number,
                    "limit": most,
                    "count": count,
                }
                for interval, number, most, count in limits
            ]
        )

    # --- orders ---------------------------------------------------------------------------------

    async def place(self, call: SignedCall) -> web.Response:
        self.door.count_order(call.account, SPOT)
        return await self._placed(call)

    def test(self, call: SignedCall) -> web.Response:
        self.bank.check(call.account, orders.make_order(call, self.bank, SPOT))
        if not call.flag("computeCommissionRates"):
            return web.json_response({})
        return web.json_response({"standardCommissionForOrder": RATES})

    def cancel(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, SPOT, is_cancel=True)
        self.bank.cancel(call.account, order)
        return web.json_response(cancelled(order, call))

    def cancel_all(self, call: SignedCall) -> web.Response:
        symbol = call.text("symbol")
        open_ones = [o for o in call.account.open_orders(SPOT) if o.symbol == symbol]
        if not open_ones:
            raise Refusal(-2011, "Unknown order sent.")
        for order in open_ones:
            if order.is_open:  # one of its list may have taken it along
                self.bank.cancel(call.account, order)
        return web.json_response([cancelled(order, call) for order in open_ones])

    async def cancel_replace(self, call: SignedCall) -> web.Response:
        mode = call.text("cancelReplaceMode")
        named = {
            "cancelOrderId": "orderId",
            "cancelOrigClientOrderId": "origClientOrderId",
        }
        which = {theirs: call.params[ours] for ours, theirs in named.items() if ours in call.params}
        if not which:
            raise missing("cancelOrderId")
        if mode not in {"STOP_ON_FAILURE", "ALLOW_FAILURE"}:
            raise Refusal(-1106, "Parameter 'cancelReplaceMode' is invalid.")
        self.bank.check_filters(orders.make_order(call, self.bank, SPOT))
        self.door.count_order(call.account, SPOT)
        wanted = SignedCall(
            call.account, call.key, {"symbol": call.text("symbol"), **which}, call.scale
        )
        if "cancelNewClientOrderId" in call.params:
            wanted.params["newClientOrderId"] = call.params["cancelNewClientOrderId"]
        cancel: Callable[[], Body] = lambda: cancelled(self._cancel(wanted), wanted)  # noqa: E731
        gone, was_gone = _try(cancel)
        if not was_gone and mode == "STOP_ON_FAILURE":
            return _both(
                -2022, "Order cancel-replace failed.", 400, "FAILURE", gone, "NOT_ATTEMPTED", None
            )
        try:
            answer = await self._placed(call)
        except Refusal as error:
            body: Body = {"code": error.code, "msg": str(error)}
            how = "SUCCESS" if was_gone else "FAILURE"
            code, status = (-2021, 409) if was_gone else (-2022, 400)
            return _both(code, "Order cancel-replace failed.", status, how, gone, "FAILURE", body)
        if answer.status != 200:
            return answer
        new = _body_of(answer)
        if was_gone:
            both = {"cancelResult": "SUCCESS", "newOrderResult": "SUCCESS"}
            return web.json_response({**both, "cancelResponse": gone, "newOrderResponse": new})
        return _both(
            -2021, "Order cancel-replace partially failed.", 409, "FAILURE", gone, "SUCCESS", new
        )

    def amend(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, SPOT, is_cancel=True)
        rules = self.bank.listed(SPOT, order.symbol).symbol.rules
        self.bank.spot.amend(
            call.account,
            order,
            rules,
            call.amount("newQty"),
            call.params.get("newClientOrderId", ""),
            self.bank.now_ms(),
        )
        return web.json_response(
            {
                "transactTime": order.updated,
                "executionId": self.bank.next_id(),
                "amendedOrder": order_body(order, call.scale),
            }
        )

    def _cancel(self, call: SignedCall) -> Order:
        order = orders.find_order(call, self.bank, SPOT, is_cancel=True)
        self.bank.cancel(call.account, order)
        return order

    async def _placed(self, call: SignedCall) -> web.Response:
        account, order = orders.place(call, self.bank, SPOT)
        deadline = asyncio.get_running_loop().time() + FILL_SECONDS
        while order.type == "MARKET" and order.is_open:
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.01)
        broken = self.bank.faults.answer_after_execution()
        if broken:
            return web.json_response(
                {
                    "code": -1007,
                    "msg": "Timeout waiting for response from backend server. Send "
                    "status unknown; execution status unknown.",
                },
                status=broken,
            )
        counts = self.door.order_headers(account, SPOT)
        return web.json_response(placed(account, order, call), headers=counts)


def open_orders(call: SignedCall, bank: Bank) -> list[Body]:
    symbol = call.params.get("symbol")
    if symbol is not None:
        bank.listed(SPOT, symbol)
    return [
        order_body(order, call.scale)
        for order in call.account.open_orders(SPOT)
        if symbol in {None, order.symbol} and order.hidden_until <= bank.now_ms()
    ]


def _try(work: Callable[[], Body]) -> tuple[Body, bool]:
    try:
        return work(), True
    except Refusal as error:
        return {"code": error.code, "msg": str(error)}, False


def _body_of(answer: web.Response) -> object:
    return json.loads(answer.text or "{}")


def _both(
    code: int, message: str, status: int, cancel: str, gone: object, new: str, answer: object
) -> web.Response:
    return web.json_response(
        {
            "code": code,
            "msg": message,
            "data": {
                "cancelResult": cancel,
                "newOrderResult": new,
                "cancelResponse": gone,
                "newOrderResponse": answer,
            },
        },
        status=status,
    )
