"""What the account side of `/api/v3` says, for REST and for the WebSocket API."""

from simulator.accounts.records import Account, Fill, Order
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.rest.shapes import Body
from simulator.rest.signed import SignedCall

DAY_MS = 86_400_000
RATES = {
    "maker": "0.00100000",
    "taker": "0.00100000",
    "buyer": "0.00000000",
    "seller": "0.00000000",
}


def trade_body(fill: Fill, scale: int) -> Body:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": to_text(fill.price),
        "qty": to_text(fill.quantity),
        "quoteQty": to_text(fill.quote),
        "commission": to_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time * (1000 if scale == 1 else 1),
        "isBuyer": fill.side == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def order_body(order: Order, scale: int) -> Body:
    unit = 1000 if scale == 1 else 1
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_id,
        "price": to_text(order.price),
        "origQty": to_text(order.quantity),
        "executedQty": to_text(order.executed),
        "origQuoteOrderQty": to_text(order.quote_quantity),
        "cummulativeQuoteQty": to_text(order.quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": to_text(order.stop_price),
        "icebergQty": "0.00000000",
        "time": order.time * unit,
        "updateTime": order.updated * unit,
        "isWorking": not order.is_waiting and not order.is_pending,
        "workingTime": -1 if order.is_pending else (order.working_since or order.time) * unit,
        "selfTradePreventionMode": order.self_trade_prevention,
    }
    if order.reason:
        body["expiryReason"] = order.reason
    return body


def placed(account: Account, order: Order, call: SignedCall) -> Body:
    """ACK, RESULT or FULL."""
    unit = 1000 if call.scale == 1 else 1
    full = order.type in {"MARKET", "LIMIT"}
    how = call.params.get("newOrderRespType", "FULL" if full else "ACK")
    body: Body = {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_id,
        "transactTime": order.updated * unit,
    }
    if how == "ACK":
        return body
    shape = order_body(order, call.scale)
    names = (
        "price",
        "origQty",
        "executedQty",
        "origQuoteOrderQty",
        "cummulativeQuoteQty",
        "status",
        "timeInForce",
        "type",
        "side",
        "workingTime",
        "selfTradePreventionMode",
    )
    body |= {name: shape[name] for name in names}
    for name in ("stopPrice", "expiryReason"):
        if name in shape and (name != "stopPrice" or order.stop_price):
            body[name] = shape[name]
    if how == "FULL":
        body["fills"] = [
            {
                "price": to_text(f.price),
                "qty": to_text(f.quantity),
                "commission": to_text(f.commission),
                "commissionAsset": f.commission_asset,
                "tradeId": f.id,
            }
            for f in account.fills
            if f.order_id == order.id
        ]
    return body


def cancelled(order: Order, call: SignedCall) -> Body:
    """`clientOrderId` is that of the cancel, `origClientOrderId` the order's."""
    shape = order_body(order, call.scale)
    return {
        **{
            name: shape[name]
            for name in (
                "symbol",
                "orderId",
                "orderListId",
                "price",
                "origQty",
                "executedQty",
                "origQuoteOrderQty",
                "cummulativeQuoteQty",
                "status",
                "timeInForce",
                "type",
                "side",
                "selfTradePreventionMode",
            )
        },
        "origClientOrderId": order.client_id,
        "clientOrderId": call.params.get("newClientOrderId", f"cancel{order.id}"),
        "transactTime": shape["updateTime"],
    }


def day(call: SignedCall) -> tuple[int, int]:
    """startTime to endTime, at most 24 hours apart. Raises Refusal."""
    start, end = call.moment_ms("startTime"), call.moment_ms("endTime")
    if start is not None and end is not None and end - start > DAY_MS:
        raise Refusal(-1127, "More than 24 hours between startTime and endTime.")
    return start or 0, end if end is not None else 2**62
