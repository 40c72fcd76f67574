"""Two sets of closed trades side by side: their figures, and how far these are apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from django.db.models import QuerySet

from journal.metrics.differences import difference
from journal.metrics.spread import Spread
from journal.models import Preferences, Trade
from journal.selectors.reports import Group, group
from journal.selectors.tallies import Tally, tallies, tallies_by_day, tally

Days = list[tuple[date, Decimal]]
Name = TypeVar("Name", tuple[str, ...], date)


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
    """With `is_of_others` the second set is what it says without the trades of the first, which
    are all in it."""

    first: "QuerySet[Trade]"
    second: "QuerySet[Trade]"
    is_of_others: bool
    chosen: Preferences

    def whole(self) -> Pair:
        first, second = (sum(days.values(), Tally()) for days in self._days)
        return Pair("", _group("", first), _group("", second))

    def parts(self, dimension: str) -> list[Pair]:
        """By the groups of a dimension that either has. Raises KeyError for an unknown one."""
        first, second = self._added_up(
            lambda trades: tallies(trades, self.chosen, [dimension], self._unit)
        )
        return [
            Pair(names[0], _group(names[0], first.get(names)), _group(names[0], second.get(names)))
            for names in sorted({*first, *second})
        ]

    def by_day(self) -> tuple[Days, Days]:
        """What was made up to each of the reader's days on which a trade closed."""
        first, second = self._days
        return _so_far(first), _so_far(second)

    @property
    def shared(self) -> int:
        """How many trades are in both."""
        if self.is_of_others:
            return 0
        both = self.first.filter(pk__in=self.second.order_by().values("pk"))
        return tally(both, self.chosen, self._unit).count

    @cached_property
    def _days(self) -> tuple[Mapping[date, Tally], Mapping[date, Tally]]:
        return self._added_up(lambda trades: tallies_by_day(trades, self.chosen, self._unit))

    @property
    def _unit(self) -> str:
        return self.chosen.unit

    def _added_up(
        self, add_up: "Callable[[QuerySet[Trade]], Mapping[Name, Tally]]"
    ) -> tuple[Mapping[Name, Tally], Mapping[Name, Tally]]:
        first, second = add_up(self.first), add_up(self.second)
        if self.is_of_others:
            second = {name: second[name] - first.get(name, Tally()) for name in second}
        return first, second


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
