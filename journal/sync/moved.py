"""Which symbols may have news: between two whole readings only these are asked for, since one
address has a budget for everybody."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F

from journal.models import ConditionalOrder, Coverage, Fill, Income, Market, Order
from journal.sync.run import Run

# Rows of before the last reading's end: what was heard while it ran.
OVERLAP = timedelta(minutes=2)
# Of the others so many at a time, whoever was asked for longest ago first.
BY_TURNS = 3


def symbols_of(run: Run, market: str, since: datetime) -> set[str]:
    """Where streams, files or lines of income have told something since."""
    mine = {"account": run.account, "market": market}
    orders = Order.objects.filter(**mine, changed_at__gte=since - OVERLAP)
    fills = Fill.objects.filter(**mine, time__gte=since - OVERLAP)
    names = {*orders.values_list("symbol", flat=True), *fills.values_list("symbol", flat=True)}
    if market == Market.USDM:
        lines = Income.objects.filter(account=run.account, time__gte=since - OVERLAP)
        names |= set(lines.values_list("symbol", flat=True))
    return names - {""}


def by_turns(run: Run, market: str, symbols: Iterable[str]) -> list[str]:
    """A few of them, so that each has its turn: no stream is believed for ever."""
    rows = Coverage.objects.filter(
        account=run.account, kind=Coverage.Kind.FILLS, market=market, symbol__in=list(symbols)
    )
    ordered = rows.order_by(F("to_time").asc(nulls_first=True), "symbol")
    return list(ordered.values_list("symbol", flat=True)[:BY_TURNS])


def of_coins(run: Run, symbols: Iterable[str], coins: set[str]) -> list[str]:
    """Spot symbols of which one side is among `coins`."""
    return [name for name in symbols if coins & set(run.coins(Market.SPOT, name) or ())]


def has_conditional(run: Run, since: datetime) -> bool:
    """Whether anything was told of conditional orders since."""
    mine = ConditionalOrder.objects.filter(account=run.account)
    return mine.filter(changed_at__gte=since - OVERLAP).exists()
