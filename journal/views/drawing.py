"""What tables, tiles and calendars are drawn from: strengths of heat, bars, weeks."""

import calendar as months
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from journal.metrics.spread import Spread
from journal.models import Preferences, Trade, TradeFill
from journal.selectors.dashboard import Dashboard
from journal.selectors.flow_table import FlowColumn, columns_of
from journal.selectors.sums import Sums, total
from journal.selectors.units import value_of
from market.flow.bands import bands_for

HEATS = 5


def weeks_of(
    year: int, month: int, days: dict[date, Sums], today: date, chosen: Preferences
) -> list[tuple[list[dict[str, Any]], Sums]]:
    """Weeks from Monday, each with its cells and its sum; the heat is of the chosen unit."""
    values = {
        day: value_of(day_sums, chosen) or Decimal(0)
        for day, day_sums in days.items()
        if (day.year, day.month) == (year, month)
    }
    largest = max(map(abs, values.values()), default=Decimal(0))
    weeks = []
    for week in months.Calendar().monthdatescalendar(year, month):
        cells = [
            {
                "day": day,
                "is_other": day.month != month,
                "is_today": day == today,
                "is_future": day > today,
                "sums": days.get(day) if day.month == month else None,
                "heat": heat(values[day], largest) if day in values else "",
            }
            for day in week
        ]
        own = [days[day] for day in week if day in days and day.month == month]
        weeks.append((cells, total(own)))
    return weeks


def heat(value: Decimal, largest: Decimal) -> str:
    """A class name: the sign, and one of five strengths."""
    if not value or not largest:
        return ""
    strength = max(1, min(HEATS, int(abs(value) / largest * HEATS + Decimal("0.999"))))
    return f"heat-{'up' if value > 0 else 'down'}-{strength}"


def largest_of(spreads: Iterable[Spread]) -> Decimal:
    """What the ranges are drawn by: the end that is farthest from zero."""
    ends = [end for spread in spreads for end in (spread.low, spread.high, spread.mean)]
    return max((abs(end) for end in ends if end is not None), default=Decimal(0))


def tile_pictures(figures: Dashboard, chosen: Preferences) -> dict[str, list[Decimal]]:
    """For the tiles, in the chosen unit: the last seven days, this week's, and this month's added
    up."""
    today, added, month = figures.this_day, Decimal(0), [Decimal(0)]

    def of_day(day: date) -> Decimal:
        return value_of(figures.days.get(day, Sums()), chosen) or Decimal(0)

    for number in range(1, today.day + 1):
        added += of_day(today.replace(day=number))
        month.append(added)
    last = [today - timedelta(days=back) for back in range(6, -1, -1)]
    week = [today - timedelta(days=back) for back in range(today.weekday(), -1, -1)]
    return {
        "today": [of_day(day) for day in last],
        "week": [of_day(day) for day in week],
        "month": month,
    }


@dataclass(frozen=True)
class FlowTable:
    """All entries of a trade, weighted by quantity: `rows` are (band, [(delta, heat), …]), largest
    on top, none where no bands are known; `window` is the one that the verdict is of, and its share
    is the verdict's."""

    windows: list[str]
    rows: list[tuple[str, list[tuple[Decimal | None, str]]]]
    totals: list[Decimal | None]
    shares: list[Decimal | None]
    window: str
    basis: str
    entries: int


def flow_table(trade: Trade, parts: Sequence[TradeFill]) -> FlowTable | None:
    """Each window has the heat of its own largest delta."""
    columns = columns_of(trade, parts)
    if not columns:
        return None
    bands = bands_for(trade.quote).names
    has_bands = any(column.bands is not None for column in columns)
    return FlowTable(
        windows=[column.window for column in columns],
        rows=[(band, [_cell(column, band) for column in columns]) for band in reversed(bands)]
        if has_bands
        else [],
        totals=[column.total for column in columns],
        shares=[column.share for column in columns],
        window=trade.flow_window,
        basis=trade.flow_basis,
        entries=sum(part.is_entry for part in parts),
    )


def _cell(column: FlowColumn, band: str) -> tuple[Decimal | None, str]:
    if column.bands is None:
        return None, ""
    return column.bands[band], heat(column.bands[band], max(map(abs, column.bands.values())))
