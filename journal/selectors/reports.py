"""Breakdowns of trades: one row a group, with its size and how sure one may be of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from journal.metrics import trades as metrics
from journal.metrics.spread import Spread, Z, spread
from journal.metrics.undefined import Metric, Undefined
from journal.models import Preferences
from journal.selectors.dimensions import DIMENSIONS
from journal.selectors.report_rows import Row
from journal.selectors.sums import Sums

ZERO = Decimal(0)
FEW = 30


@dataclass(frozen=True)
class Group:
    """`low` and `high` bound the mean net with 95 % (normal, from the sample's deviation)."""

    name: str
    count: int
    net: Decimal
    mean: Decimal
    low: Decimal | None
    high: Decimal | None
    win_rate: Metric
    win_low: Decimal
    win_high: Decimal
    profit_factor: Metric
    payoff: Metric
    mean_r: Metric
    r_count: int
    fees: Decimal
    hold: timedelta

    @property
    def is_few(self) -> bool:
        return self.count < FEW

    @property
    def crosses_zero(self) -> bool:
        return Spread(self.mean, self.low, self.high).crosses_zero


def breakdown(rows: Sequence[Row], dimension: str, chosen: Preferences) -> list[Group]:
    """One group a value. A trade with two tags is in two groups. Raises KeyError for an unknown
    dimension."""
    names = DIMENSIONS[dimension][1]
    members: dict[str, list[Row]] = {}
    for row in rows:
        for name in names(row, chosen):
            members.setdefault(name, []).append(row)
    return [group(name, members[name]) for name in sorted(members)]


def by_month(rows: Sequence[Row], days: Mapping[date, Sums], chosen: Preferences) -> list[Group]:
    """As a breakdown, but each month's net and fees are what was earned and paid in it, by open
    trades and by what is kept beside too; counts and rates are of the trades that closed in it."""
    months: dict[str, list[Sums]] = {}
    for day, earned in days.items():
        months.setdefault(f"{day:%Y-%m}", []).append(earned)
    groups = {month.name: month for month in breakdown(rows, "month", chosen)}
    return [
        replace(
            groups.get(name) or nothing(name),
            net=sum((part.net for part in parts), ZERO),
            fees=sum((part.fees for part in parts), ZERO),
        )
        for name, parts in sorted(months.items())
    ]


def nothing(name: str) -> Group:
    """A group without a closed trade."""
    none = Undefined.NOTHING
    return Group(
        name=name,
        count=0,
        net=ZERO,
        mean=ZERO,
        low=None,
        high=None,
        win_rate=none,
        win_low=ZERO,
        win_high=Decimal(1),
        profit_factor=none,
        payoff=none,
        mean_r=none,
        r_count=0,
        fees=ZERO,
        hold=timedelta(),
    )


def matrix(
    rows: Sequence[Row], down: str, across: str, chosen: Preferences
) -> tuple[list[str], list[tuple[str, list[Group | None]]]]:
    """(columns, rows of cells); a cell without trades is None."""
    first, second = DIMENSIONS[down][1], DIMENSIONS[across][1]
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for a in first(row, chosen):
            for b in second(row, chosen):
                cells.setdefault((a, b), []).append(row)
    columns = sorted({b for _, b in cells})
    lines = sorted({a for a, _ in cells})
    return columns, [
        (a, [group(b, cells[a, b]) if (a, b) in cells else None for b in columns]) for a in lines
    ]


def group(name: str, rows: Sequence[Row]) -> Group:
    nets = [row.net for row in rows]
    rs = [row.r for row in rows if row.r is not None]
    net = sum(nets, ZERO)
    mean = net / len(nets)
    around = _spread(nets, mean)
    wins = sum(value > 0 for value in nets)
    low, high = wilson(wins, len(nets))
    return Group(
        name=name,
        count=len(nets),
        net=net,
        mean=mean,
        low=around.low,
        high=around.high,
        win_rate=metrics.win_rate(nets),
        win_low=low,
        win_high=high,
        profit_factor=metrics.profit_factor(nets),
        payoff=metrics.payoff_ratio(nets),
        mean_r=metrics.expectancy_r(rs),
        r_count=len(rs),
        fees=sum((row.fees for row in rows), ZERO),
        hold=sum((row.closed_at - row.opened_at for row in rows), timedelta()) / len(rows),
    )


def _spread(nets: Sequence[Decimal], mean: Decimal) -> Spread:
    if len(nets) < 2:
        return spread(mean, None, len(nets))
    variance = sum(((value - mean) ** 2 for value in nets), ZERO) / (len(nets) - 1)
    return spread(mean, variance, len(nets))


def wilson(wins: int, count: int) -> tuple[Decimal, Decimal]:
    """95 % range of a share (Wilson 1927), which stays within 0 and 1 for few trades."""
    if not count:
        return ZERO, Decimal(1)
    share, z = wins / count, float(Z)
    z2 = z * z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    places = Decimal("0.0001")
    return (
        max(ZERO, Decimal(str(middle - half))).quantize(places),
        min(Decimal(1), Decimal(str(middle + half))).quantize(places),
    )
