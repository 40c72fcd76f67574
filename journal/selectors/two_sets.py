"""Two sets of closed trades side by side: their figures, and how far these are apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from django.db.models import QuerySet

from journal.metrics.differences import difference
from journal.metrics.spread import Spread
from journal.models import Preferences, Trade
from journal.selectors.reports import Group, group
from journal.selectors.tallies import Split, Tally, split_of, tally

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


@dataclass(frozen=True)
class TwoSets:
    """By the groups of `dimension` that either has. With `is_of_others` the second set is what it
    says without the trades of the first, which are all in it. Raises KeyError for an unknown
    dimension where it is first asked."""

    first: "QuerySet[Trade]"
    second: "QuerySet[Trade]"
    is_of_others: bool
    chosen: Preferences
    dimension: str

    def whole(self) -> Pair:
        first, second = (sum(split.days.values(), Tally()) for split in self._splits)
        return Pair("", _group("", first), _group("", second))

    def parts(self) -> list[Pair]:
        first, second = (split.groups for split in self._splits)
        return [
            Pair(name, _group(name, first.get(name)), _group(name, second.get(name)))
            for name in sorted({*first, *second})
        ]

    def by_day(self) -> tuple[Days, Days]:
        """What was made up to each of the reader's days on which a trade closed."""
        first, second = self._splits
        return _so_far(first.days), _so_far(second.days)

    @property
    def shared(self) -> int:
        """How many trades are in both."""
        if self.is_of_others:
            return 0
        both = self.first.filter(pk__in=self.second.order_by().values("pk"))
        return tally(both, self.chosen, self.chosen.unit).count

    @cached_property
    def _splits(self) -> tuple[Split, Split]:
        if self.is_of_others:
            return self._split(self.second, self.first)
        first, second = self._split(self.first)[1], self._split(self.second)[1]
        return first, second

    def _split(
        self, trades: "QuerySet[Trade]", marked: "QuerySet[Trade] | None" = None
    ) -> tuple[Split, Split]:
        return split_of(trades, self.chosen, self.dimension, self.chosen.unit, marked)


def _group(name: str, total: Tally | None) -> Group | None:
    return group(name, total) if total is not None and total.count else None


def _so_far(days: Mapping[date, Tally]) -> Days:
    total, points = Decimal(0), []
    for day in sorted(day for day in days if days[day].count):
        total += days[day].net
        points.append((day, total))
    return points


def _mean(of: Group) -> Spread:
    return Spread(of.mean, of.low, of.high)


def _won(of: Group) -> Spread | None:
    """A share with Wilson's range."""
    if not isinstance(of.win_rate, Decimal):
        return None
    return Spread(of.win_rate, of.win_low, of.win_high)
