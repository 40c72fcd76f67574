"""Orders of `/fapi`. Source: developers.binance.com, USD-M futures (2026-05-28), and the docstrings
of binance-sdk-derivatives-trading-usds-futures 18."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import USDM, Order
from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT, to_text
from simulator.rest import orders
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall, missing
from simulator.rest.usdm_windows import week

FUTURES = "enableFutures"
MOST_PLACED, MOST_CANCELLED = 5, 10
MOST_AMENDS = 10_000
LONGEST_COUNTDOWN_MS = 86_400_000
# A market order waits for its fills before it is answered.
FILL_LOOKS = 100


class UsdmOrdersRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        use = partial(self.door.signed, permission=FUTURES)
        head = "/fapi/v1/"
        return [
            web.get(f"{head}openOrders", use(self.open_orders)),
            web.get(f"{head}allOrders", use(self.all_orders)),
            web.get(f"{head}order", use(self.order)),
            web.get(f"{head}openOrder", use(self.open_order)),
            web.get(f"{head}orderAmendment", use(self.amendments)),
            web.get(f"{head}rateLimit/order", use(self.order_limits)),
            web.post(f"{head}order", use(self.place)),
            web.post(f"{head}order/test", use(self.test)),
            web.put(f"{head}order", use(self.modify)),
            web.delete(f"{head}order", use(self.cancel)),
            web.delete(f"{head}allOpenOrders", use(self.cancel_all)),
            web.post(f"{head}batchOrders", use(self.place_many)),
            web.put(f"{head}batchOrders", use(self.modify_many)),
            web.delete(f"{head}batchOrders", use(self.cancel_many)),
            web.post(f"{head}countdownCancelAll", use(self.count_down)),
        ]

    def open_orders(self, call: SignedCall) -> web.Response:
        symbol = call.params.get("symbol")
        known = call.account.open_orders(USDM)
        return web.json_response([order_body(o) for o in known if symbol in {None, o.symbol}])

    def all_orders(self, call: SignedCall) -> web.Response:
        symbol = call.params.get("symbol")
        start, end = week(call, self.bank.now_ms())
        first = call.integer("orderId") or 0
        known = [
            order
            for order in call.account.orders.values()
            if order.market == USDM
            and symbol in {None, order.symbol}
            and order.id >= first
            and start <= order.time <= end
        ]
        return web.json_response([order_body(order) for order in known[: call.count()]])

    def order(self, call: SignedCall) -> web.Response:
        return web.json_response(order_body(orders.find_order(call, self.bank, USDM)))

    def open_order(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, USDM)
        if not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        return web.json_response(order_body(order))

    def amendments(self, call: SignedCall) -> web.Response:
        order = orders.find_order(call, self.bank, USDM)
        return web.json_response(
            [
                {
                    "amendmentId": number,
                    "symbol": order.symbol,
                    "pair": order.symbol,
                    "orderId": order.id,
                    "clientOrderId": client_id,
                    "time": at,
                    "amendment": {
                        "origQty": {"before": to_text(before), "after": to_text(after)},
                        "count": number,
                    },
                }
                for number, (at, before, after, client_id) in enumerate(order.amends, 1)
            ]
        )

    def order_limits(self, call: SignedCall) -> web.Response:
        limits = (("SECOND", 10, 300), ("MINUTE", 1, 1200))
        return web.json_response(
            [
                {
                    "rateLimitType": "ORDERS",
                    "interval": interval,
                    "intervalNum": number,
                    "limit": most,
                }
                for interval, number, most in limits
            ]
        )

    # --- placing --------------------------------------------------------------------------------

    async def place(self, call: SignedCall) -> web.Response:
        body = await self._place(call)
        broken = self.bank.faults.answer_after_execution()
        if broken:
            return web.json_response(
                {
                    "code": -1007,
                    "msg": "Unknown error, please check your request or try again later.",
                },
                status=broken,
            )
        return web.json_response(body, headers=self.door.order_headers(call.account, USDM))

    def test(self, call: SignedCall) -> web.Response:
        order = orders.make_order(call, self.bank, USDM)
        self.bank.check(call.account, order)
        return web.json_response(order_body(order))

    async def place_many(self, call: SignedCall) -> web.Response:
        rows = _rows(call, "batchOrders", MOST_PLACED)
        return await self._each(call, rows, self._place)

    async def _place(self, call: SignedCall) -> Body:
        self.door.count_order(call.account, USDM)
        _, order = orders.place(call, self.bank, USDM)
        for _ in range(FILL_LOOKS):
            if order.type != "MARKET" or not order.is_open:
                break
            await asyncio.sleep(0.01)
        body = order_body(order)
        if call.params.get("newOrderRespType", "ACK") == "ACK":
            body |= {"status": "NEW", "executedQty": "0.00000000"}
            body = {k: v for k, v in body.items() if k not in {"avgPrice", "cumQuote"}}
        return body

    # --- changing -------------------------------------------------------------------------------

    async def modify(self, call: SignedCall) -> web.Response:
        body = await self._modify(call)
        return web.json_response(body, headers=self.door.order_headers(call.account, USDM))

    async def modify_many(self, call: SignedCall) -> web.Response:
        rows = _rows(call, "batchOrders", MOST_PLACED)
        return await self._each(call, rows, self._modify)

    async def _modify(self, call: SignedCall) -> Body:
        """LIMIT only; loses its place; a quantity that is filled already cancels it."""
        self.door.count_order(call.account, USDM)
        order = orders.find_order(call, self.bank, USDM)
        for name in ("side", "quantity", "price"):
            call.text(name)
        if order.type != "LIMIT" or not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        if call.text("side") != order.side:
            raise Refusal(-5026, "Modify order: the side cannot be changed.")
        if call.flag("reduceOnly") and not order.reduce_only:
            raise Refusal(-5047, "The original order is not a reduce-only order")
        quantity, price = call.amount("quantity"), call.amount("price")
        if (quantity, price) == (order.quantity, order.price):
            raise Refusal(-5027, "No need to modify the order.")
        if len(order.amends) >= MOST_AMENDS:
            raise Refusal(-5026, "Exceed maximum modify order limit.")
        self.bank.modify(call.account, order, quantity, price)
        modify_id = call.integer("modifyId")
        return order_body(order) | ({} if modify_id is None else {"modifyId": modify_id})

    # --- cancelling -----------------------------------------------------------------------------

    def cancel(self, call: SignedCall) -> web.Response:
        return web.json_response(self._cancel(call))

    async def cancel_many(self, call: SignedCall) -> web.Response:
        symbol, rows = call.text("symbol"), []
        for name, one in (
            ("orderIdList", "orderId"),
            ("origClientOrderIdList", "origClientOrderId"),
        ):
            if name in call.params:
                rows = [{"symbol": symbol, one: str(item)} for item in _list(call, name)]
                break
        if not 0 < len(rows) <= MOST_CANCELLED:
            raise missing("orderIdList")

        async def cancel(wanted: SignedCall) -> Body:
            return self._cancel(wanted)

        return await self._each(call, rows, cancel)

    def _cancel(self, call: SignedCall) -> Body:
        order = orders.find_order(call, self.bank, USDM, is_cancel=True)
        self.bank.cancel(call.account, order)
        return order_body(order)

    def cancel_all(self, call: SignedCall) -> web.Response:
        symbol = call.text("symbol")
        self.bank.listed(USDM, symbol)
        for order in call.account.open_orders(USDM):
            if order.symbol == symbol:
                self.bank.cancel(call.account, order)
        return web.json_response(
            {"code": 200, "msg": "The operation of cancel all open order is done."}
        )

    def count_down(self, call: SignedCall) -> web.Response:
        """The dead man's switch of one symbol; 0 stops it."""
        symbol, countdown = call.text("symbol"), call.integer("countdownTime")
        self.bank.listed(USDM, symbol)
        if countdown is None:
            raise missing("countdownTime")
        if countdown > LONGEST_COUNTDOWN_MS:
            raise Refusal(-1130, "Data sent for parameter 'countdownTime' is not valid.")
        self.bank.countdowns.start(call.account, symbol, self.bank.now_ms(), countdown)
        return web.json_response({"symbol": symbol, "countdownTime": str(countdown)})

    async def _each(
        self,
        call: SignedCall,
        rows: list[dict[str, str]],
        work: Callable[[SignedCall], Awaitable[Body]],
    ) -> web.Response:
        """One after the other; each has its own answer or its own refusal."""
        answers: list[Body] = []
        for row in rows:
            try:
                answers.append(await work(SignedCall(call.account, call.key, row, call.scale)))
            except Refusal as error:
                answers.append({"code": error.code, "msg": str(error)})
        return web.json_response(answers, headers=self.door.order_headers(call.account, USDM))


def _rows(call: SignedCall, name: str, most: int) -> list[dict[str, str]]:
    """Raises Refusal."""
    rows = _list(call, name)
    if not 0 < len(rows) <= most or not all(isinstance(row, dict) for row in rows):
        raise Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
    return [{str(key): _text(value) for key, value in row.items()} for row in rows]


def _list(call: SignedCall, name: str) -> list[dict[str, object]]:
    try:
        rows = json.loads(call.text(name))
    except (ValueError, RecursionError) as error:
        raise Refusal(-1130, f"Data sent for parameter '{name}' is not valid.") from error
    if not isinstance(rows, list):
        raise Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
    return rows


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def order_body(order: Order) -> Body:
    average = order.quote * UNIT // order.executed if order.executed else 0
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": to_text(order.price),
        "avgPrice": to_text(average),
        "origQty": to_text(order.quantity),
        "executedQty": to_text(order.executed),
        "cumQuote": to_text(order.quote),
        "cumQty": to_text(order.executed),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": to_text(order.stop_price),
        "workingType": order.working_type,
        "priceProtect": False,
        "origType": order.original_type or order.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade_prevention,
        "goodTillDate": order.good_till,
        "time": order.time,
        "updateTime": order.updated,
    }
