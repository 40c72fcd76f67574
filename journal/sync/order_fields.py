"""What Binance calls the fields of an order, by REST and by stream, beside what we call them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from journal.sync.rows import BOTH, Json
from lib.dates import from_ms


class Field(NamedTuple):
    """`read` makes our value of theirs, which is None where it is not told."""

    name: str
    read: Callable[[Any], Any]
    by_rest: str
    by_stream: str


def told(value: Any) -> Any:
    """What every row has. Raises KeyError."""
    if value is None:
        raise KeyError("expected a field that every order has")
    return value


def text(value: str | None) -> str:
    return value or ""


def position_side(value: str | None) -> str:
    return value or BOTH


def amount(value: str | None) -> Decimal:
    return Decimal(value or "0")


def told_amount(value: str | None) -> Decimal:
    """Raises KeyError."""
    return Decimal(told(value))


def known(value: str | None) -> Decimal | None:
    """0 stands for nothing."""
    return (Decimal(value) or None) if value else None


def number(value: int | str | None) -> int | None:
    return int(value) if value else None


def moment(value: int | None) -> datetime | None:
    return from_ms(value) if value else None


ORDER = (
    Field("symbol", told, "symbol", "s"),
    Field("order_id", told, "orderId", "i"),
    Field("client_id", text, "clientOrderId", "c"),
    Field("side", told, "side", "S"),
    Field("type", told, "type", "o"),
    Field("time_in_force", text, "timeInForce", "f"),
    Field("status", told, "status", "X"),
    Field("price", told_amount, "price", "p"),
    Field("quantity", told_amount, "origQty", "q"),
    Field("executed", told_amount, "executedQty", "z"),
)
SPOT = (
    *ORDER,
    Field("stop_price", amount, "stopPrice", "P"),
    Field("expiry_reason", text, "expiryReason", "eR"),
)
USDM = (
    *ORDER,
    Field("stop_price", amount, "stopPrice", "sp"),
    Field("position_side", position_side, "positionSide", "ps"),
    Field("original_type", text, "origType", "ot"),
    Field("is_reduce_only", bool, "reduceOnly", "R"),
    Field("closes_position", bool, "closePosition", "cp"),
)
CONDITIONAL = (
    Field("symbol", told, "symbol", "s"),
    Field("algo_id", told, "algoId", "aid"),
    Field("client_id", text, "clientAlgoId", "caid"),
    Field("side", told, "side", "S"),
    Field("position_side", position_side, "positionSide", "ps"),
    Field("type", told, "orderType", "o"),
    Field("time_in_force", text, "timeInForce", "f"),
    Field("status", told, "algoStatus", "X"),
    Field("trigger_price", amount, "triggerPrice", "tp"),
    Field("price", amount, "price", "p"),
    Field("quantity", amount, "quantity", "q"),
    Field("closes_position", bool, "closePosition", "cp"),
    Field("is_reduce_only", bool, "reduceOnly", "R"),
    Field("working_type", text, "workingType", "wt"),
    Field("activate_price", known, "activatePrice", "AP"),
    Field("callback_rate", known, "callbackRate", "cr"),
    Field("made_order_id", number, "actualOrderId", "ai"),
    Field("executed", amount, "actualQty", "aq"),
    Field("average_price", known, "actualPrice", "ap"),
    Field("triggered_at", moment, "triggerTime", "tt"),
)
LIST = (
    Field("symbol", told, "symbol", "s"),
    Field("list_id", told, "orderListId", "g"),
    Field("client_id", text, "listClientOrderId", "C"),
    Field("contingency", told, "contingencyType", "c"),
    Field("status", told, "listOrderStatus", "L"),
)


def by_rest(fields: Sequence[Field], row: Json) -> dict[str, Any]:
    """Our names and values. Raises KeyError where one is missing that every row has."""
    return {field.name: field.read(row.get(field.by_rest)) for field in fields}


def by_stream(fields: Sequence[Field], event: Json) -> dict[str, Any]:
    return {field.name: field.read(event.get(field.by_stream)) for field in fields}


def list_id_of(value: int | None) -> int | None:
    """-1: it belongs to none."""
    return None if value is None or value < 0 else value
