"""Binance's JSON of orders -> our rows, unsaved: ordinary ones, conditional ones, lists (reference:
binance-spot-api-docs rest-api.md, USD-M REST "Query Order" and "Query Algo Order", 2026)."""

from decimal import Decimal

from accounts.models import ExchangeAccount
from journal.models import ConditionalOrder, Market, Order, OrderList
from journal.sync.rows import BOTH, Json
from lib.dates import from_ms


def spot_order(account: ExchangeAccount, row: Json) -> Order:
    return Order(
        account=account,
        market=Market.SPOT,
        symbol=row["symbol"],
        order_id=row["orderId"],
        client_id=row.get("clientOrderId", ""),
        side=row["side"],
        type=row["type"],
        time_in_force=row.get("timeInForce", ""),
        status=row["status"],
        price=Decimal(row["price"]),
        stop_price=Decimal(row.get("stopPrice") or "0"),
        quantity=Decimal(row["origQty"]),
        executed=Decimal(row["executedQty"]),
        quote_executed=_quote(row.get("cummulativeQuoteQty")),
        list_id=list_id if (list_id := row.get("orderListId", -1)) >= 0 else None,
        expiry_reason=row.get("expiryReason") or "",
        time=from_ms(row["time"]),
        changed_at=from_ms(row["updateTime"]),
    )


def usdm_order(account: ExchangeAccount, row: Json) -> Order:
    order = spot_order(account, row)
    order.market = Market.USDM
    order.position_side = row.get("positionSide", BOTH)
    order.is_reduce_only = bool(row.get("reduceOnly"))
    order.closes_position = bool(row.get("closePosition"))
    order.original_type = row.get("origType") or ""
    order.quote_executed = _quote(row.get("cumQuote"))
    return order


def _quote(text: str | None) -> Decimal | None:
    """Orders of long ago say less than 0 for what nobody knows any more."""
    value = Decimal(text) if text else None
    return None if value is None or value < 0 else value


def conditional_order(account: ExchangeAccount, row: Json) -> ConditionalOrder:
    """Of `openAlgoOrders` and `allAlgoOrders`."""
    is_trailing = row["orderType"] == "TRAILING_STOP_MARKET"
    return ConditionalOrder(
        account=account,
        symbol=row["symbol"],
        algo_id=row["algoId"],
        client_id=row.get("clientAlgoId") or "",
        side=row["side"],
        position_side=row.get("positionSide") or BOTH,
        type=row["orderType"],
        time_in_force=row.get("timeInForce") or "",
        status=row["algoStatus"],
        trigger_price=Decimal(row.get("triggerPrice") or "0"),
        price=Decimal(row.get("price") or "0"),
        quantity=Decimal(row.get("quantity") or "0"),
        closes_position=bool(row.get("closePosition")),
        is_reduce_only=bool(row.get("reduceOnly")),
        working_type=row.get("workingType") or "",
        activate_price=_known(row.get("activatePrice")) if is_trailing else None,
        callback_rate=_known(row.get("callbackRate")) if is_trailing else None,
        made_order_id=int(row["actualOrderId"]) if row.get("actualOrderId") else None,
        executed=Decimal(row.get("actualQty") or "0"),
        average_price=_known(row.get("actualPrice")),
        time=from_ms(row["createTime"]),
        triggered_at=from_ms(row["triggerTime"]) if row.get("triggerTime") else None,
        changed_at=from_ms(row["updateTime"]),
    )


def order_list(account: ExchangeAccount, row: Json) -> OrderList:
    at = from_ms(row["transactionTime"])
    return OrderList(
        account=account,
        symbol=row["symbol"],
        list_id=row["orderListId"],
        client_id=row.get("listClientOrderId") or "",
        contingency=row["contingencyType"],
        status=row["listOrderStatus"],
        time=at,
        changed_at=at,
    )


def _known(text: str | None) -> Decimal | None:
    return (Decimal(text) or None) if text else None
