"""What a part is asked: whose trades, under which filter, in which unit; and what it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from journal.filters import TradeFilter
from journal.models import Preferences, Trade
from journal.selectors import report_rows
from journal.selectors.report_rows import Row
from journal.selectors.scope import counted

# (done, expected), in whatever is counted
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Question:
    """`chosen` has the unit that is asked for."""

    user: User
    trade_filter: TradeFilter
    chosen: Preferences
    tell: Tell

    @property
    def trades(self) -> "QuerySet[Trade]":
        """Closed ones that a statistic may count."""
        return counted(self.trade_filter.apply(self.user, self.chosen)).filter(
            net_money__isnull=False
        )

    @cached_property
    def loaded(self) -> list[Row]:
        """Oldest closing first, in money."""
        trades = self.trade_filter.apply(self.user, self.chosen)
        return report_rows.load(self.user, trades, self.chosen)

    @cached_property
    def rows(self) -> list[Row]:
        """`net` in the chosen unit; those that have none are left out."""
        return report_rows.in_unit(self.loaded, self.chosen)


Place = tuple[str, str]


@dataclass(frozen=True)
class Made:
    """`answer` is JSON without anything translated; `trades` are ids by (by, group), as they
    closed."""

    answer: dict[str, Any]
    trades: Mapping[Place, Sequence[int]] = field(default_factory=dict)
