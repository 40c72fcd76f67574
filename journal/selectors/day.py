"""One day of a trader: its sum, its trades, its path, and what was written on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
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
        path=_path(scope, lines),
        note=DayNote.objects.visible_to(user).filter(day=day).first(),
    )


def _path(scope: Scope, lines: Sequence[Line]) -> list[tuple[float, Decimal]]:
    """Money as it was earned, up to the day's sum; in another unit what the closed trades made."""
    if scope.chosen.unit == Preferences.Unit.MONEY:
        return _added_up(_earned(scope))
    closed = [(line.trade.closed_at, line_value(line, scope.chosen)) for line in lines]
    return _added_up([(at, value) for at, value in closed if at is not None and value is not None])


def _earned(scope: Scope) -> list[tuple[datetime, Decimal]]:
    rows = [
        *scope.matches.values_list("closed_at", "net_money"),
        *scope.payments.values_list("time", "money"),
    ]
    known = [(at, money) for at, money in rows if money is not None]
    return sorted(known, key=lambda one: one[0])


def _added_up(results: Sequence[tuple[datetime, Decimal]]) -> list[tuple[float, Decimal]]:
    so_far = Decimal(0)
    points: list[tuple[float, Decimal]] = []
    for at, value in results:
        minute = at.timestamp() // 60
        if not points:
            points.append((minute, so_far))
        so_far += value
        if points[-1][0] == minute and len(points) > 1:
            points[-1] = (minute, so_far)
        else:
            points.append((minute, so_far))
    return points
