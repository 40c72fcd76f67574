"""`/fapi/v1/algoOrder` and its lists: conditional orders of USD-M since 2025-12-09.

Source: developers.binance.com USD-M trade "New Algo Order" and following (2026-05), and the models
of binance-sdk-derivatives-trading-usds-futures 18.
"""

import secrets
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import USDM, Account
from simulator.accounts.refusals import UNKNOWN_ORDER, Refusal
from simulator.accounts.waiting import ALGO_TYPES, STOPS, TARGETS, TRAILING, Algo
from simulator.amounts import UNIT, to_text
from simulator.rest import orders
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall, missing
from simulator.rest.usdm_windows import week

FUTURES = "enableFutures"
DAY_MS = 86_400_000
# What has neither a fill nor a future is forgotten after three days, the rest after ninety.
FORGOTTEN_MS, KEPT_MS = 3 * DAY_MS, 90 * DAY_MS
WORKING_TYPES = {"MARK_PRICE", "CONTRACT_PRICE"}
PREVENTIONS = {"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"}
IN_FORCE = {"GTC", "IOC", "FOK", "GTX", "GTD", "GTE_GTC"}


class UsdmAlgoRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        use = partial(self.door.signed, permission=FUTURES)
        head = "/fapi/v1/"
        return [
            web.post(f"{head}algoOrder", use(self.place)),
            web.delete(f"{head}algoOrder", use(self.cancel)),
            web.get(f"{head}algoOrder", use(self.one)),
            web.get(f"{head}openAlgoOrders", use(self.open)),
            web.get(f"{head}allAlgoOrders", use(self.all)),
            web.delete(f"{head}algoOpenOrders", use(self.cancel_all)),
        ]

    def place(self, call: SignedCall) -> web.Response:
        self.door.count_order(call.account, USDM)
        algo = make_algo(call, self.bank)
        self.bank.algo.place(call.account, algo)
        return web.json_response(
            placed_body(algo), headers=self.door.order_headers(call.account, USDM)
        )

    def cancel(self, call: SignedCall) -> web.Response:
        algo = _find(call, is_cancel=True)
        self.bank.algo.cancel(call.account, algo)
        return web.json_response(
            {"algoId": algo.id, "clientAlgoId": algo.client_id, "code": "200", "msg": "success"}
        )

    def cancel_all(self, call: SignedCall) -> web.Response:
        symbol = call.text("symbol")
        self.bank.listed(USDM, symbol)
        for algo in list(call.account.algos.values()):
            if algo.is_open and algo.symbol == symbol:
                self.bank.algo.cancel(call.account, algo)
        return web.json_response(
            {"code": 200, "msg": "The operation of cancel all open order is done."}
        )

    def one(self, call: SignedCall) -> web.Response:
        return web.json_response(algo_body(_find(call), call.account))

    def open(self, call: SignedCall) -> web.Response:
        symbol, wanted = call.params.get("symbol"), call.integer("algoId")
        if symbol is not None:
            self.bank.listed(USDM, symbol)
        return web.json_response(
            [
                algo_body(algo, call.account)
                for algo in call.account.algos.values()
                if algo.is_open and symbol in {None, algo.symbol} and wanted in {None, algo.id}
            ]
        )

    def all(self, call: SignedCall) -> web.Response:
        """At most seven days; with `algoId` those from it on."""
        symbol = call.text("symbol")
        self.bank.listed(USDM, symbol)
        start, end = week(call, self.bank.now_ms())
        first = call.integer("algoId")
        now = self.bank.now_ms()
        known = [
            algo
            for algo in call.account.algos.values()
            if algo.symbol == symbol
            and algo.id >= (first or 0)
            and start <= algo.time <= end
            and not _is_forgotten(algo, call.account, now)
        ]
        wanted = call.count()
        is_forward = first is not None or "startTime" in call.params
        chosen = known[:wanted] if is_forward else known[-wanted:]
        return web.json_response([algo_body(algo, call.account) for algo in chosen])


def make_algo(call: SignedCall, bank: Bank) -> Algo:
    """Raises Refusal."""
    if call.text("algoType") != "CONDITIONAL":
        raise Refusal(-1106, "Parameter 'algoType' is invalid.")
    symbol, side, kind = call.text("symbol"), call.text("side"), call.text("type")
    bank.listed(USDM, symbol)
    if side not in {"BUY", "SELL"}:
        raise Refusal(-1117, "Invalid side.")
    if kind not in ALGO_TYPES:
        raise Refusal(-1116, "Invalid orderType.")
    now = bank.now_ms()
    algo = Algo(
        symbol,
        bank.next_id(),
        orders.client_id(call, "clientAlgoId", USDM) or secrets.token_urlsafe(16)[:22],
        side,
        kind,
        _one_of(call, "timeInForce", IN_FORCE, "GTC"),
        call.amount("quantity"),
        call.amount("price"),
        call.amount("triggerPrice"),
        now,
        now,
        position_side=_one_of(call, "positionSide", {"BOTH", "LONG", "SHORT"}, "BOTH"),
        working_type=_one_of(call, "workingType", WORKING_TYPES, "CONTRACT_PRICE"),
        price_protect=call.flag("priceProtect"),
        close_position=call.flag("closePosition"),
        reduce_only=call.flag("reduceOnly"),
        self_trade_prevention=_one_of(call, "selfTradePreventionMode", PREVENTIONS, "NONE"),
        good_till=call.integer("goodTillDate") or 0,
        activate_price=call.amount("activatePrice"),
        callback_rate=call.amount("callbackRate"),
    )
    _check(call, algo)
    return algo


def _check(call: SignedCall, algo: Algo) -> None:
    """What goes together. Raises Refusal."""
    if algo.type == TRAILING:
        call.text("callbackRate")
    elif not algo.trigger_price:
        raise missing("triggerPrice")
    if algo.order_type == "LIMIT" and not algo.price:
        raise missing("price")
    if algo.order_type == "MARKET" and algo.price:
        raise Refusal(-1106, "Parameter 'price' sent when not required.")
    if algo.time_in_force == "GTD" and not algo.good_till:
        raise missing("goodTillDate")
    if not algo.close_position:
        call.text("quantity")
        if not algo.quantity:
            raise Refusal(-4003, "Quantity less than or equal to zero.")
        return
    if algo.type not in {"STOP_MARKET", "TAKE_PROFIT_MARKET"}:
        raise Refusal(-4136, "Target strategy invalid for orderType,closePosition.")
    if algo.quantity:
        raise Refusal(-4137, "Quantity must be zero with closePosition equals true")
    if "reduceOnly" in call.params:
        raise Refusal(-1106, "Parameter 'reduceonly' sent when not required.")


def placed_body(algo: Algo) -> Body:
    return {
        "algoId": algo.id,
        "clientAlgoId": algo.client_id,
        "algoType": "CONDITIONAL",
        "orderType": algo.type,
        "symbol": algo.symbol,
        "side": algo.side,
        "positionSide": algo.position_side,
        "timeInForce": algo.time_in_force,
        "quantity": to_text(algo.quantity),
        "algoStatus": algo.status,
        "triggerPrice": to_text(algo.trigger_price),
        "price": to_text(algo.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": algo.self_trade_prevention,
        "workingType": algo.working_type,
        "priceMatch": "NONE",
        "closePosition": algo.close_position,
        "priceProtect": algo.price_protect,
        "reduceOnly": algo.reduce_only,
        "activatePrice": to_text(algo.activate_price) if algo.type == TRAILING else "",
        "callbackRate": _rate_text(algo),
        "createTime": algo.time,
        "updateTime": algo.updated,
        "triggerTime": algo.triggered,
        "goodTillDate": algo.good_till,
    }


def algo_body(algo: Algo, account: Account) -> Body:
    """With the order that its trigger made."""
    order = account.orders.get(algo.order_id)
    average = order.quote * UNIT // order.executed if order and order.executed else 0
    return {
        **placed_body(algo),
        "actualOrderId": str(order.id) if order else "",
        "actualPrice": to_text(average),
        "actualType": order.type if order else "",
        "actualQty": to_text(order.executed if order else 0),
        "tpTriggerPrice": to_text(algo.trigger_price if algo.type in TARGETS else 0),
        "tpPrice": to_text(algo.price if algo.type in TARGETS else 0),
        "slTriggerPrice": to_text(algo.trigger_price if algo.type in STOPS else 0),
        "slPrice": to_text(algo.price if algo.type in STOPS else 0),
        "tpOrderType": algo.type if algo.type in TARGETS else "",
    }


def _find(call: SignedCall, *, is_cancel: bool = False) -> Algo:
    """By `algoId` or `clientAlgoId`; of several with one client id the newest. Raises Refusal."""
    algo_id, client_id = call.integer("algoId"), call.params.get("clientAlgoId")
    if algo_id is None and not client_id:
        raise Refusal(
            -1102, "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!"
        )
    known = [
        algo
        for algo in call.account.algos.values()
        if (algo.id == algo_id if algo_id is not None else algo.client_id == client_id)
    ]
    if not known:
        raise (
            Refusal(-2011, UNKNOWN_ORDER) if is_cancel else Refusal(-2013, "Order does not exist.")
        )
    return max(known, key=lambda algo: (algo.is_open, algo.id))


def _is_forgotten(algo: Algo, account: Account, now_ms: int) -> bool:
    if algo.time + KEPT_MS < now_ms:
        return True
    order = account.orders.get(algo.order_id)
    has_ended = algo.status in {"CANCELED", "EXPIRED", "REJECTED"}
    is_empty = order is None or not order.executed
    return has_ended and is_empty and algo.time + FORGOTTEN_MS < now_ms


def _one_of(call: SignedCall, name: str, known: set[str], default: str) -> str:
    value = call.params.get(name, default)
    if value not in known:
        raise Refusal(-1106, f"Parameter '{name}' is invalid.")
    return value


def _rate_text(algo: Algo) -> str:
    return to_text(algo.callback_rate).rstrip("0").rstrip(".") if algo.type == TRAILING else ""
