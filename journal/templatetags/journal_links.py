"""Addresses that lead from what is shown to what can be done about it."""

from decimal import Decimal
from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID

from django import template

from lib.decimals import readable

register = template.Library()


class Placed(Protocol):
    """A trade or a position."""

    @property
    def market(self) -> str: ...

    @property
    def symbol(self) -> str: ...

    @property
    def account_id(self) -> UUID: ...


@register.simple_tag
def alert_query(kind: str, row: Placed, level: Decimal | None) -> str:
    """What the form of a new alert begins with: the row's market, a price, its account."""
    return urlencode(
        {
            "kind": kind,
            "market": row.market,
            "symbol": row.symbol,
            "level": readable(level).replace(",", "") if level is not None else "",
            "account": row.account_id,
        }
    )
