"""What the user streams say of orders -> our rows, unsaved.

Sources: user-data-stream.md of binance-spot-api-docs (2026-08), USD-M user data streams (2026-08).
"""

from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from journal.models import ConditionalOrder, Market, Order, OrderList
from lib.dates import from_ms

Json = dict[str, Any]


def spot(account: ExchangeAccount, event: Json) -> Order:
    list_id = event.get("g", -1)
    return Order(
        account=account,
        market=Market.SPOT,
        symbol=event["s"],
        order_id=event["i"],
        # of a cancel, `c` is the cancel's own
        client_id=event.get("C") or event["c"],
        side=event["S"],
        type=event["o"],
        time_in_force=event.get("f", ""),
        status=event["X"],
        price=Decimal(event["p"]),
        stop_price=Decimal(event.get("P") or "0"),
        quantity=Decimal(event["q"]),
        executed=Decimal(event["z"]),
        quote_executed=Decimal(event["Z"]) if event.get("Z") else None,
        list_id=list_id if list_id >= 0 else None,
        expiry_reason=event.get("eR") or "",
        time=from_ms(event["O"]),
        changed_at=from_ms(event["T"]),
    )


def usdm(account: ExchangeAccount, order: Json) -> Order:
    """Its `time` is this event's, since the stream does not tell when an order was made; the
    earliest one that is heard stays."""
    at = from_ms(order["T"])
    executed, reason = Decimal(order["z"]), str(order.get("er") or "")
    return Order(
        account=account,
        market=Market.USDM,
        symbol=order["s"],
        order_id=order["i"],
        client_id=order["c"],
        side=order["S"],
        position_side=order.get("ps", "BOTH"),
        type=order["o"],
        original_type=order.get("ot") or "",
        time_in_force=order.get("f", ""),
        status=order["X"],
        price=Decimal(order["p"]),
        stop_price=Decimal(order.get("sp") or "0"),
        quantity=Decimal(order["q"]),
        executed=executed,
        # the average is rounded to the tick: REST tells the sum itself
        quote_executed=Decimal(order.get("ap") or "0") * executed,
        is_reduce_only=bool(order.get("R")),
        closes_position=bool(order.get("cp")),
        expiry_reason="" if reason == "0" else reason,
        time=at,
        changed_at=at,
    )


def conditional(account: ExchangeAccount, event: Json) -> ConditionalOrder:
    """As ordinary ones of futures it does not say when it was made."""
    order, at = event["o"], from_ms(event["T"])
    return ConditionalOrder(
        account=account,
        symbol=order["s"],
        algo_id=order["aid"],
        client_id=order.get("caid") or "",
        side=order["S"],
        position_side=order.get("ps") or "BOTH",
        type=order["o"],
        time_in_force=order.get("f") or "",
        status=order["X"],
        trigger_price=Decimal(order.get("tp") or "0"),
        price=Decimal(order.get("p") or "0"),
        quantity=Decimal(order.get("q") or "0"),
        closes_position=bool(order.get("cp")),
        is_reduce_only=bool(order.get("R")),
        working_type=order.get("wt") or "",
        activate_price=_some(order.get("AP")),
        callback_rate=_some(order.get("cr")),
        made_order_id=int(order["ai"]) if order.get("ai") else None,
        executed=Decimal(order.get("aq") or "0"),
        average_price=_some(order.get("ap")),
        reason=str(order.get("rm") or "")[:200],
        time=at,
        triggered_at=from_ms(order["tt"]) if order.get("tt") else None,
        changed_at=at,
    )


def order_list(account: ExchangeAccount, event: Json) -> OrderList:
    at = from_ms(event["T"])
    return OrderList(
        account=account,
        symbol=event["s"],
        list_id=event["g"],
        client_id=event.get("C") or "",
        contingency=event["c"],
        status=event["L"],
        time=at,
        changed_at=at,
    )


def told(order: ConditionalOrder) -> dict[str, object]:
    """For the owner's pages."""
    return {
        "market": order.market,
        "symbol": order.symbol,
        "algo_id": order.algo_id,
        "client_id": order.client_id,
        "side": order.side,
        "type": order.type,
        "status": order.status,
        "trigger_price": str(order.trigger_price),
        "price": str(order.price),
        "quantity": str(order.quantity),
        "closes_position": order.closes_position,
        "made_order_id": order.made_order_id,
        "reason": order.reason,
    }


def _some(text: str | None) -> Decimal | None:
    return (Decimal(text) or None) if text else None
