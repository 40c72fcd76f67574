"""The user's day: a zone and the hour at which a day starts."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo


def day_of(moment: datetime, zone: ZoneInfo, day_start: time = time(0)) -> date:
    """The trading day that an aware moment belongs to: before `day_start` it is yesterday's.

    Raises ValueError for a naive moment.
    """
    if moment.tzinfo is None:
        raise ValueError("expected an aware moment, was a naive one")
    local = moment.astimezone(zone)
    return local.date() - timedelta(days=local.time() < day_start)


def by_day(
    amounts: Iterable[tuple[datetime, Decimal]], zone: ZoneInfo, day_start: time = time(0)
) -> dict[date, Decimal]:
    """Sums by trading day; a realised PnL is dated at its closing fill."""
    sums: dict[date, Decimal] = {}
    for moment, amount in amounts:
        day = day_of(moment, zone, day_start)
        sums[day] = sums.get(day, Decimal(0)) + amount
    return dict(sorted(sums.items()))
