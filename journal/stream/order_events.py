"""What the user streams say of orders -> our rows, unsaved.

Sources: user-data-stream.md of binance-spot-api-docs (2026-08), USD-M user data streams (2026-08).
"""

from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from journal.models import ConditionalOrder, Market, Order, OrderList
from journal.sync.order_fields import CONDITIONAL, LIST, SPOT, USDM, by_stream, list_id_of
from lib.dates import from_ms

Json = dict[str, Any]


def spot(account: ExchangeAccount, event: Json) -> Order:
    fields = by_stream(SPOT, event)
    # of a cancel, `c` is the cancel's own
    fields["client_id"] = event.get("C") or fields["client_id"]
    return Order(
        account=account,
        market=Market.SPOT,
        **fields,
        quote_executed=Decimal(event["Z"]) if event.get("Z") else None,
        list_id=list_id_of(event.get("g")),
        time=from_ms(event["O"]),
        changed_at=from_ms(event["T"]),
    )


def usdm(account: ExchangeAccount, order: Json) -> Order:
    """Its `time` is this event's, since the stream does not tell when an order was made; the
    earliest one that is heard stays."""
    fields, at = by_stream(USDM, order), from_ms(order["T"])
    reason = str(order.get("er") or "")
    return Order(
        account=account,
        market=Market.USDM,
        **fields,
        # the average is rounded to the tick: REST tells the sum itself
        quote_executed=Decimal(order.get("ap") or "0") * fields["executed"],
        expiry_reason="" if reason == "0" else reason,
        time=at,
        changed_at=at,
    )


def conditional(account: ExchangeAccount, event: Json) -> ConditionalOrder:
    """As ordinary ones of futures it does not say when it was made."""
    order, at = event["o"], from_ms(event["T"])
    return ConditionalOrder(
        account=account,
        **by_stream(CONDITIONAL, order),
        reason=str(order.get("rm") or "")[:200],
        time=at,
        changed_at=at,
    )


def order_list(account: ExchangeAccount, event: Json) -> OrderList:
    at = from_ms(event["T"])
    return OrderList(account=account, **by_stream(LIST, event), time=at, changed_at=at)


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
