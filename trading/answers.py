"""Intents as the API and the live topic show them."""

from collections.abc import Sequence
from typing import Any

from journal.models import Order
from lib.dates import to_ms
from lib.decimals import plain
from trading.models import OrderIntent
from trading.shapes import IntentRow, LegRow

State = OrderIntent.State
STATUS = {State.ACCEPTED: 201, State.REFUSED: 409, State.EXPIRED: 409}


def status_of(intent: OrderIntent) -> int:
    """201 accepted, 202 while it is written, sent or unknown, 409 refused or expired."""
    return STATUS.get(State(intent.state), 202)


def placed(intent: OrderIntent) -> dict[str, Any]:
    """The answer of POST, as the intent stands."""
    answer: dict[str, Any] = {
        "id": str(intent.pk),
        "client_id": intent.client_id,
        "state": intent.state,
    }
    if intent.state == State.ACCEPTED:
        legs = intent.legs.order_by("made_at", "pk")
        answer |= {"order": intent.order, "legs": [leg_of(leg) for leg in legs]}
    elif intent.state in {State.REFUSED, State.EXPIRED}:
        answer |= {"code": intent.code, "detail": intent.detail}
    return answer


def leg_of(leg: OrderIntent) -> LegRow:
    return {
        "id": str(leg.pk),
        "client_id": leg.client_id,
        "role": leg.role,
        "state": leg.state,
        "order": leg.order,
        "code": leg.code,
        "detail": leg.detail,
    }


def rows_of(intents: Sequence[OrderIntent]) -> list[IntentRow]:
    """With the orders as the journal knows them by now, which hears more than the sender did."""
    known = {
        order.client_id: order
        for order in Order.objects.filter(
            account__in={intent.account_id for intent in intents},
            client_id__in=[intent.name_now for intent in intents],
        )
    }
    return [row_of(intent, known.get(intent.name_now)) for intent in intents]


def row_of(intent: OrderIntent, order: Order | None = None) -> IntentRow:
    return {
        "id": str(intent.pk),
        "client_id": intent.client_id,
        "state": intent.state,
        "body": intent.body,
        "history": intent.history,
        "account": str(intent.account_id),
        "market": intent.market,
        "symbol": intent.symbol,
        "side": intent.side,
        "role": intent.role,
        "parent": str(intent.parent_id) if intent.parent_id else None,
        "plan": intent.plan,
        "code": intent.code,
        "detail": intent.detail,
        "made": to_ms(intent.made_at),
        "order": _newer(intent.order, order),
    }


def _newer(told: dict[str, Any], order: Order | None) -> dict[str, Any]:
    if order is None or to_ms(order.changed_at) < int(told.get("changed", 0)):
        return told
    return {
        **told,
        "order_id": order.order_id,
        "client_id": order.client_id,
        "status": order.status,
        "price": plain(order.price),
        "quantity": plain(order.quantity),
        "executed": plain(order.executed),
        "changed": to_ms(order.changed_at),
    }


def order_of(answer: dict[str, Any], client_id: str) -> dict[str, Any]:
    """The exchange's answer (order, order list or algo order) as our words; of a list the working
    order, or the first."""
    if "orderReports" in answer:
        reports = [row for row in answer["orderReports"] if isinstance(row, dict)]
        own = next((row for row in reports if row.get("clientOrderId") == client_id), None)
        first = own or (reports[0] if reports else {})
        legs = [_order(row) for row in reports if row is not first]
        return {**_order(first), "list_id": answer.get("orderListId"), "list": legs}
    return _order(answer)


def _order(answer: dict[str, Any]) -> dict[str, Any]:
    if "algoId" in answer:
        return {
            "algo_id": answer["algoId"],
            "client_id": str(answer.get("clientAlgoId", "")),
            "status": str(answer.get("algoStatus", "")),
            "type": str(answer.get("orderType", answer.get("type", ""))),
            "price": _text(answer.get("price")),
            "stop_price": _text(answer.get("triggerPrice")),
            "quantity": _text(answer.get("quantity")),
            "executed": "0",
            "changed": int(answer.get("updateTime") or answer.get("createTime") or 0),
        }
    return {
        "order_id": answer.get("orderId"),
        "client_id": str(answer.get("clientOrderId", "")),
        "status": str(answer.get("status", "")),
        "type": str(answer.get("type", "")),
        "price": _text(answer.get("price")),
        "stop_price": _text(answer.get("stopPrice")),
        "quantity": _text(answer.get("origQty")),
        "executed": _text(answer.get("executedQty")),
        "quote": _text(answer.get("cummulativeQuoteQty", answer.get("cumQuote"))),
        "changed": int(answer.get("transactTime") or answer.get("updateTime") or 0),
    }


def _text(value: Any) -> str:
    text = str(value or "0")
    return text.rstrip("0").rstrip(".") if "." in text else text
