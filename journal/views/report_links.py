"""Where a row of a report leads: the trades behind it."""

import calendar
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.urls import reverse

from journal.filters import TradeFilter
from journal.models import Trade

# dimensions whose groups are values of a filter of the same name
SAME = ("symbol", "direction", "market", "setup", "tag")


def link_of(by: str, name: str, trade_filter: TradeFilter, accounts: Mapping[str, str]) -> str:
    """The list of trades with the group as a filter; empty where no filter says the same."""
    if name == "–":
        return ""
    wanted: TradeFilter | None = None
    if by in SAME:
        values: dict[str, Any] = {by: name}
        wanted = replace(trade_filter, **values)
    elif by == "mistake":
        wanted = replace(trade_filter, tag=name)
    elif by == "account" and name in accounts:
        wanted = replace(trade_filter, account=accounts[name])
    elif by == "flow":
        verdicts = {str(label): value for value, label in Trade.Against.choices}
        wanted = replace(trade_filter, flow=verdicts[name]) if name in verdicts else None
    elif by == "month":
        year, month = (int(part) for part in name.split("-"))
        last = calendar.monthrange(year, month)[1]
        wanted = replace(
            trade_filter, from_day=date(year, month, 1), to_day=date(year, month, last)
        )
    return f"{reverse('trades')}?{wanted.text}" if wanted else ""
