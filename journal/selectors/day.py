"""One day of a trader: its sum, its trades, its path, and what was written on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from accounts.models import User
from journal.filters import TradeFilter
from journal.models import DayNote, Preferences
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums
from journal.selectors.trades import Line, with_notes
from journal.selectors.units import line_value

MOST_TRADES = 200


@dataclass(frozen=True)
class Day:
    """`path` is the day's result added up, by the minute of the day (UTC epoch minutes)."""

    day: date
    sums: Sums
    lines: Sequence[Line]
    path: list[tuple[float, Decimal]]
    note: DayNote | None


def day_of_trader(user: User, trade_filter: TradeFilter, chosen: Preferences, day: date) -> Day:
    """Of what matches the filter and closed on that day of the user's zone."""
    of_day = replace(trade_filter, from_day=day, to_day=day)
    scope = Scope(user, of_day, chosen)
    lines = with_notes(user, scope.trades.order_by("closed_at", "pk")[:MOST_TRADES])
    return Day(
        day=day,
        sums=sums(scope),
        lines=lines,
        path=_path(lines, chosen),
        note=DayNote.objects.visible_to(user).filter(day=day).first(),
    )


def _path(lines: Sequence[Line], chosen: Preferences) -> list[tuple[float, Decimal]]:
    so_far = Decimal(0)
    points: list[tuple[float, Decimal]] = []
    for line in lines:
        value = line_value(line, chosen)
        if value is None or line.trade.closed_at is None:
            continue
        if not points:
            points.append((line.trade.opened_at.timestamp() // 60, so_far))
        so_far += value
        points.append((line.trade.closed_at.timestamp() // 60, so_far))
    return points
