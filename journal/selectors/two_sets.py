"""Two sets of closed trades side by side: their figures, and how far these are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from journal.metrics.differences import difference
from journal.metrics.spread import Spread
from journal.models import Preferences
from journal.selectors.report_rows import Row, day_in
from journal.selectors.reports import Group, breakdown, group

Days = list[tuple[date, Decimal]]


@dataclass(frozen=True)
class Pair:
    """`mean` and `win_rate` are the first less the second; None where one of them is empty."""

    name: str
    first: Group | None
    second: Group | None

    @property
    def mean(self) -> Spread | None:
        if self.first is None or self.second is None:
            return None
        return difference(_mean(self.first), _mean(self.second))

    @property
    def win_rate(self) -> Spread | None:
        if self.first is None or self.second is None:
            return None
        first, second = _won(self.first), _won(self.second)
        return None if first is None or second is None else difference(first, second)


def whole(first: Sequence[Row], second: Sequence[Row]) -> Pair:
    return Pair("", *(group("", rows) if rows else None for rows in (first, second)))


def parts(
    first: Sequence[Row], second: Sequence[Row], dimension: str, chosen: Preferences
) -> list[Pair]:
    """By the groups of a dimension that either has. Raises KeyError for an unknown one."""
    groups: list[Mapping[str, Group]] = [
        {one.name: one for one in breakdown(rows, dimension, chosen)} for rows in (first, second)
    ]
    names = sorted({name for known in groups for name in known})
    return [Pair(name, groups[0].get(name), groups[1].get(name)) for name in names]


def added_up(rows: Sequence[Row], chosen: Preferences) -> Days:
    """What was made up to each of the reader's days on which a trade closed; rows by closing."""
    sums: dict[date, Decimal] = {}
    so_far = Decimal(0)
    for row in rows:
        so_far += row.net
        sums[day_in(row.closed_at, chosen)] = so_far
    return list(sums.items())


def _mean(of: Group) -> Spread:
    return Spread(of.mean, of.low, of.high)


def _won(of: Group) -> Spread | None:
    """A share with Wilson's range."""
    if not isinstance(of.win_rate, Decimal):
        return None
    return Spread(of.win_rate, of.win_low, of.win_high)
