"""Addresses that lead from what is shown to what can be done about it."""

from decimal import Decimal
from urllib.parse import urlencode

from django import template

from journal.models import FuturesPosition, Trade
from lib.decimals import plain

register = template.Library()


@register.simple_tag
def alert_query(kind: str, row: FuturesPosition | Trade, level: Decimal | None) -> str:
    """What the form of a new alert begins with: the row's market, a price, its account."""
    return urlencode(
        {
            "kind": kind,
            "market": row.market,
            "symbol": row.symbol,
            "level": plain(level) if level is not None else "",
            "account": row.account_id,
        }
    )
