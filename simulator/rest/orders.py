"""Making orders of request parameters, spot and futures, REST and WebSocket API alike."""

import re
import secrets

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, USDM, Account, Order
from simulator.accounts.refusals import UNKNOWN_ORDER, Refusal, filter_failure
from simulator.accounts.waiting import ALGO_TYPES
from simulator.rest.signed import SignedCall, missing

SPOT_TYPES = {
    "LIMIT": ("timeInForce", "quantity", "price"),
    "MARKET": (),
    "LIMIT_MAKER": ("quantity", "price"),
    "STOP_LOSS": ("quantity", "stopPrice"),
    "STOP_LOSS_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
    "TAKE_PROFIT": ("quantity", "stopPrice"),
    "TAKE_PROFIT_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
}
# What a client may call its orders.
NAME = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}", re.ASCII)
LONGEST_NAME = 36
IN_FORCE = {SPOT: {"GTC", "IOC", "FOK"}, USDM: {"GTC", "IOC", "FOK", "GTX", "GTD"}}


def make_order(call: SignedCall, bank: Bank, market: str) -> Order:
    """Raises Refusal."""
    symbol = call.text("symbol")
    bank.listed(market, symbol)
    side, kind = call.text("side"), call.text("type")
    if side not in {"BUY", "SELL"}:
        raise Refusal(-1117, "Invalid side.")
    if market == USDM and kind in ALGO_TYPES:
        raise Refusal(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo "
            "Order API endpoints instead.",
        )
    needed = SPOT_TYPES.get(kind)
    if needed is None or (market == USDM and kind not in {"LIMIT", "MARKET"}):
        raise Refusal(-1116, "Invalid orderType.")
    for name in needed:
        call.text(name)
    sized = {"quantity", "quoteOrderQty"} & set(call.params)
    if not sized or (market == USDM and "quantity" not in sized):
        raise missing("quantity")
    if "quoteOrderQty" in sized and (kind != "MARKET" or len(sized) == 2):
        raise Refusal(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if "price" in needed and not call.amount("price"):
        raise filter_failure("PRICE_FILTER")
    position_side = call.params.get("positionSide", "BOTH")
    if position_side not in {"BOTH", "LONG", "SHORT"}:
        raise Refusal(-1106, "Parameter 'positionSide' is invalid.")
    in_force = call.params.get("timeInForce", "GTC")
    if in_force not in IN_FORCE[market]:
        raise Refusal(-1115, "Invalid timeInForce.")
    good_till = call.moment_ms("goodTillDate") or 0
    if in_force == "GTD" and not good_till:
        raise missing("goodTillDate")
    now = bank.now_ms()
    return Order(
        market,
        symbol,
        bank.next_id(),
        client_id(call, "newClientOrderId", market) or secrets.token_urlsafe(16)[:22],
        side,
        kind,
        in_force,
        call.amount("price") if "price" in needed or kind == "LIMIT" else 0,
        call.amount("quantity"),
        now,
        now,
        quote_quantity=call.amount("quoteOrderQty"),
        stop_price=call.amount("stopPrice"),
        position_side=position_side,
        reduce_only=call.flag("reduceOnly"),
        self_trade_prevention=call.params.get("selfTradePreventionMode", "EXPIRE_MAKER"),
        hidden_until=now + bank.faults.hides_orders_ms(),
        good_till=good_till if in_force == "GTD" else 0,
    )


def client_id(call: SignedCall, name: str, market: str = SPOT) -> str:
    """Its own name for an order; empty: it has none. Raises Refusal."""
    value = call.params.get(name, "")
    if not value or NAME.fullmatch(value):
        return value
    if market == USDM and len(value) > LONGEST_NAME:
        raise Refusal(-4015, "Client order id length should not be more than 36 chars")
    legal = NAME.pattern
    raise Refusal(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '^{legal}$'."
    )


def find_order(call: SignedCall, bank: Bank, market: str, *, is_cancel: bool = False) -> Order:
    """By `orderId` or `origClientOrderId`; of several with one client id the newest.

    Raises Refusal.
    """
    symbol = call.text("symbol")
    bank.listed(market, symbol)
    order_id, client_id = call.integer("orderId"), call.params.get("origClientOrderId")
    if order_id is None and not client_id:
        raise Refusal(
            -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        )
    orders = [
        order
        for order in call.account.orders.values()
        if order.market == market
        and order.symbol == symbol
        and (order_id is None or order.id == order_id)
        and (not client_id or order.client_id == client_id)
        and order.hidden_until <= bank.now_ms()
    ]
    if not orders:
        raise (
            Refusal(-2011, UNKNOWN_ORDER) if is_cancel else Refusal(-2013, "Order does not exist.")
        )
    return max(orders, key=lambda order: (order.is_open, order.id))


def place(call: SignedCall, bank: Bank, market: str) -> tuple[Account, Order]:
    """Raises Refusal."""
    order = make_order(call, bank, market)
    bank.place(call.account, order)
    return call.account, order
