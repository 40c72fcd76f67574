"""Any two measures of the newest trades, and those within a part of the picture."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext_noop

from accounts.models import User
from journal.filters import TradeFilter
from journal.models import Preferences, Trade
from journal.selectors import report_rows
from journal.selectors.ends import BY_CLOSING, first_of
from journal.selectors.report_rows import Row
from journal.selectors.scope import counted

# as many as a picture can hold
MOST_POINTS = 600
Measure = Callable[[Row, Preferences], float | None]


def _minutes(row: Row) -> float:
    return max((row.closed_at - row.opened_at) / timedelta(minutes=1), 1 / 60)


def _number(name: str) -> Measure:
    def of(row: Row, chosen: Preferences) -> float | None:
        value = getattr(row, name)
        return None if value is None else float(value)

    return of


# name -> (label, measure, whether it is told by its powers of ten)
MEASURES: Mapping[str, tuple[str, Measure, bool]] = {
    "net": (gettext_noop("Result"), _number("net"), False),
    "r": (gettext_noop("R"), _number("r"), False),
    "worst_r": (gettext_noop("Furthest against, R"), _number("worst_r"), False),
    "best_r": (gettext_noop("Furthest for, R"), _number("best_r"), False),
    "after_r": (gettext_noop("Within an hour of the exit, R"), _number("after_r"), False),
    "efficiency": (gettext_noop("Exit efficiency"), _number("efficiency"), False),
    "hold": (gettext_noop("Holding time"), lambda row, _chosen: _minutes(row), True),
    "size": (gettext_noop("Size"), _number("size"), True),
    "fees": (gettext_noop("Fees"), _number("fees"), False),
    "maker": (gettext_noop("Maker share"), _number("maker_share"), False),
    "fills": (gettext_noop("Number of fills"), _number("fill_count"), False),
    "flow_share": (gettext_noop("Flow before the entry"), _number("flow_share"), False),
    "hour": (
        gettext_noop("Hour of opening"),
        lambda row, chosen: float(
            row.opened_at.astimezone(chosen.tzinfo).hour
            + row.opened_at.astimezone(chosen.tzinfo).minute / 60
        ),
        False,
    ),
    "streak": (gettext_noop("Losses in a row before"), _number("after_loss"), False),
    "of_day": (gettext_noop("Trade of the day"), _number("of_day"), False),
}


@dataclass(frozen=True)
class Dot:
    """`x` and `y` as they are drawn: by powers of ten where the measure is."""

    row: Row
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """A part of the picture, as it is drawn; None: no edge there."""

    left: float | None = None
    right: float | None = None
    bottom: float | None = None
    top: float | None = None

    @property
    def is_open(self) -> bool:
        return (self.left, self.right, self.bottom, self.top) == (None,) * 4

    def holds(self, dot: Dot) -> bool:
        return _lies(dot.x, self.left, self.right) and _lies(dot.y, self.bottom, self.top)


def dots(
    user: User, trade_filter: TradeFilter, chosen: Preferences, across: str, up: str
) -> tuple[list[Dot], int]:
    """(the newest trades that have both measures, oldest first; how many have not). Streaks and
    numbers of the day are of these trades alone. Raises KeyError for an unknown measure."""
    x_of, y_of = _drawn(across), _drawn(up)
    newest = counted(trade_filter.apply(user, chosen)).filter(net_money__isnull=False)
    known = first_of(newest.values_list("pk", "closed_at"), user, BY_CLOSING, MOST_POINTS)
    rows = report_rows.load(user, Trade.objects.filter(pk__in=[pk for pk, _at in known]), chosen)
    drawn = []
    for row in report_rows.in_unit(rows, chosen):
        x, y = x_of(row, chosen), y_of(row, chosen)
        if x is not None and y is not None:
            drawn.append(Dot(row, x, y))
    return drawn, len(rows) - len(drawn)


def _drawn(name: str) -> Measure:
    _label, measure, is_by_tens = MEASURES[name]

    def by_tens(row: Row, chosen: Preferences) -> float | None:
        value = measure(row, chosen)
        return math.log10(value) if value is not None and value > 0 else None

    return by_tens if is_by_tens else measure


def _lies(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
