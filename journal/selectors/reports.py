"""Breakdowns of trades: one row a group, with its size and how sure one may be of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext

from django.db.models import QuerySet

from journal.metrics.spread import Spread, Z, spread
from journal.metrics.undefined import PRECISION, Metric, Undefined
from journal.models import Preferences, Trade
from journal.selectors.dimensions import DIMENSIONS
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums_by_day
from journal.selectors.tallies import Tally, Unit, how_many, tallies

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
    # what the exits took of the best that each trade had shown
    efficiency: Metric = Undefined.NOTHING

    @property
    def is_few(self) -> bool:
        return self.count < FEW

    @property
    def crosses_zero(self) -> bool:
        return Spread(self.mean, self.low, self.high).crosses_zero


def breakdown(
    trades: "QuerySet[Trade]", dimension: str, chosen: Preferences, unit: str = Unit.MONEY
) -> list[Group]:
    """One group a value. A trade with two tags is in two groups. Raises KeyError for an unknown
    dimension."""
    by_name = tallies(trades, chosen, [dimension], unit)
    return [group(names[0], by_name[names]) for names in sorted(by_name)]


def shown_groups(scope: Scope, dimension: str) -> list[Group]:
    """As a report shows them: by month with what was earned in it, where money is asked for."""
    chosen = scope.chosen
    trades = scope.trade_filter.apply(scope.user, chosen)
    groups = breakdown(trades, dimension, chosen, chosen.unit)
    if dimension == "month" and chosen.unit == Preferences.Unit.MONEY:
        return by_month(groups, sums_by_day(scope))
    return groups


def count_of(
    trades: "QuerySet[Trade]",
    dimension: str,
    groups: Sequence[Group],
    chosen: Preferences,
    unit: str = Unit.MONEY,
) -> int:
    """How many trades a breakdown is of, each counted once."""
    if DIMENSIONS[dimension].is_several:
        return how_many(trades, chosen, unit)
    return sum(part.count for part in groups)


def by_month(groups: Sequence[Group], days: Mapping[date, Sums]) -> list[Group]:
    """Groups of a breakdown by month with the net and fees that were earned and paid in each, by
    open trades and by what is kept beside too; counts and rates are of the trades that closed in
    it."""
    months: dict[str, list[Sums]] = {}
    for day, earned in days.items():
        months.setdefault(f"{day:%Y-%m}", []).append(earned)
    known = {month.name: month for month in groups}
    return [
        replace(
            known.get(name) or nothing(name),
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
    trades: "QuerySet[Trade]", down: str, across: str, chosen: Preferences, unit: str = Unit.MONEY
) -> tuple[list[str], list[tuple[str, list[Group | None]]]]:
    """(columns, rows of cells); a cell without trades is None."""
    cells = tallies(trades, chosen, [down, across], unit)
    columns = sorted({b for _, b in cells})
    lines = sorted({a for a, _ in cells})
    return columns, [
        (a, [group(b, cells[a, b]) if (a, b) in cells else None for b in columns]) for a in lines
    ]


def group(name: str, total: Tally) -> Group:
    """Of at least one trade."""
    count = total.count
    mean = total.net / count
    around = spread(mean, total.variance, count)
    low, high = wilson(total.wins, count)
    return Group(
        name=name,
        count=count,
        net=total.net,
        mean=mean,
        low=around.low,
        high=around.high,
        win_rate=_ratio(Decimal(total.wins), count),
        win_low=low,
        win_high=high,
        profit_factor=_ratio(total.won, -total.lost, Undefined.NO_LOSSES),
        payoff=_payoff(total),
        mean_r=_ratio(total.r, total.r_count),
        r_count=total.r_count,
        fees=total.fees,
        hold=total.held / count,
        efficiency=_ratio(total.efficiency, total.efficient_count),
    )


def _ratio(
    value: Decimal, of: Decimal | int, otherwise: Undefined = Undefined.NOTHING
) -> Decimal | Undefined:
    """As `journal.metrics.trades` divides."""
    with localcontext(PRECISION):
        return value / of if of else otherwise


def _payoff(total: Tally) -> Metric:
    """mean(W) / |mean(L)|"""
    win, loss = _ratio(total.won, total.wins), _ratio(total.lost, total.losses)
    if isinstance(win, Undefined) or isinstance(loss, Undefined):
        return Undefined.NOTHING
    return _ratio(win, -loss)


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
