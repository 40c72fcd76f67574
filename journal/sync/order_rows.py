"""Binance's JSON of orders -> our rows, unsaved: ordinary ones, conditional ones, lists (reference:
binance-spot-api-docs rest-api.md, USD-M REST "Query Order" and "Query Algo Order", 2026)."""

from decimal import Decimal

from accounts.models import ExchangeAccount
from journal.models import ConditionalOrder, Market, Order, OrderList
from journal.sync.order_fields import CONDITIONAL, LIST, SPOT, USDM, by_rest, list_id_of
from journal.sync.rows import Json
from lib.dates import from_ms


def spot_order(account: ExchangeAccount, row: Json) -> Order:
    return Order(
        account=account,
        market=Market.SPOT,
        **by_rest(SPOT, row),
        quote_executed=_quote(row.get("cummulativeQuoteQty")),
        list_id=list_id_of(row.get("orderListId")),
        time=from_ms(row["time"]),
        changed_at=from_ms(row["updateTime"]),
    )


def usdm_order(account: ExchangeAccount, row: Json) -> Order:
    return Order(
        account=account,
        market=Market.USDM,
        **by_rest(USDM, row),
        quote_executed=_quote(row.get("cumQuote")),
        time=from_ms(row["time"]),
        changed_at=from_ms(row["updateTime"]),
    )


def _quote(text: str | None) -> Decimal | None:
    """Orders of long ago say less than 0 for what nobody knows any more."""
    value = Decimal(text) if text else None
    return None if value is None or value < 0 else value


def conditional_order(account: ExchangeAccount, row: Json) -> ConditionalOrder:
    """Of `openAlgoOrders` and `allAlgoOrders`."""
    fields = by_rest(CONDITIONAL, row)
    if fields["type"] != "TRAILING_STOP_MARKET":
        fields["activate_price"] = fields["callback_rate"] = None
    return ConditionalOrder(
        account=account,
        **fields,
        time=from_ms(row["createTime"]),
        changed_at=from_ms(row["updateTime"]),
    )


def order_list(account: ExchangeAccount, row: Json) -> OrderList:
    at = from_ms(row["transactionTime"])
    return OrderList(account=account, **by_rest(LIST, row), time=at, changed_at=at)
