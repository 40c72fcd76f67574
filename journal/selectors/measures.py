"""What the groups of a report are shown by: each measure's value, its 95 % range, and the value
that is neither good nor bad."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple

from django.utils.translation import gettext_lazy

from journal.metrics.spread import Spread
from journal.selectors.reports import Group

ZERO = Decimal(0)
HALF = Decimal("0.5")
# A profit factor is drawn up to here: three won for each lost.
MOST_DRAWN = Decimal(3)
Kind = Literal["result", "rate", "ratio", "risk", "cost"]


class Measure(NamedTuple):
    """`value`, `low` and `high` of a group, None where it has none; `middle` is neither good nor
    bad. A `cost` is the better the smaller."""

    label: object
    kind: Kind
    value: Callable[[Group], object]
    low: Callable[[Group], Decimal | None] = lambda _group: None
    high: Callable[[Group], Decimal | None] = lambda _group: None
    middle: Decimal = ZERO

    def of(self, group: Group) -> Decimal | None:
        value = self.value(group)
        return value if isinstance(value, Decimal) else None

    def drawn(self, group: Group) -> Spread | None:
        """How far from the middle, to the right what is good."""
        value = self.of(group)
        if value is None:
            return None
        if self.kind == "cost":
            return Spread(-value, None, None)
        ends = (self.low(group), self.high(group))
        low, high = (None if end is None else end - self.middle for end in ends)
        if self.kind == "ratio":
            value = min(value, MOST_DRAWN)
        return Spread(value - self.middle, low, high)


def _times(end: Decimal | None, count: int) -> Decimal | None:
    return None if end is None else end * count


MEASURES: dict[str, Measure] = {
    "mean": Measure(
        gettext_lazy("Mean"),
        "result",
        lambda group: group.mean if group.count else None,
        lambda group: group.low,
        lambda group: group.high,
    ),
    "net": Measure(
        gettext_lazy("Net"),
        "result",
        lambda group: group.net,
        lambda group: _times(group.low, group.count),
        lambda group: _times(group.high, group.count),
    ),
    "r": Measure(gettext_lazy("Mean R"), "risk", lambda group: group.mean_r),
    "win_rate": Measure(
        gettext_lazy("Win rate"),
        "rate",
        lambda group: group.win_rate,
        lambda group: group.win_low,
        lambda group: group.win_high,
        HALF,
    ),
    "profit_factor": Measure(
        gettext_lazy("Profit factor"),
        "ratio",
        lambda group: group.profit_factor,
        middle=Decimal(1),
    ),
    "efficiency": Measure(
        gettext_lazy("Exit took of the best"), "rate", lambda group: group.efficiency
    ),
    "fees": Measure(gettext_lazy("Fees"), "cost", lambda group: group.fees),
}
DEFAULT = "mean"
