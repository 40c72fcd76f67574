"""You and the flow: what trades earned that were opened with the takers of the minute before, and
what those earned that were opened against them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from journal.models import Trade
from journal.selectors.ends import first_of
from journal.selectors.scope import Scope
from journal.selectors.sums import DayAndFlow, Sums, of_flows, sums_by_day_and_flow
from journal.selectors.trades import Line, with_notes
from journal.selectors.units import value_of

Against = Trade.Against
# below it a comparison says that it rests on few trades
FEW = 30


@dataclass(frozen=True)
class YouAndFlow:
    """Curves are added up by the day of closing, in the unit that the user has chosen."""

    with_flow: Sums
    against: Sums
    mixed: Sums
    unknown: Sums
    with_curve: list[tuple[date, Decimal]]
    against_curve: list[tuple[date, Decimal]]
    worst: Line | None

    @property
    def judged(self) -> int:
        return self.with_flow.count + self.against.count + self.mixed.count

    @property
    def count(self) -> int:
        return self.judged + self.unknown.count

    @property
    def is_few(self) -> bool:
        return min(self.with_flow.count, self.against.count) < FEW


def you_and_flow(scope: Scope, parts: Mapping[DayAndFlow, Sums] | None = None) -> YouAndFlow:
    """In a few queries, however many trades there are; `parts` where they have been read."""
    days = sums_by_day_and_flow(scope) if parts is None else parts
    flows = of_flows(days)
    lost = scope.trades.filter(flow=Against.AGAINST, net_money__lt=0)
    lines = with_notes(scope.user, first_of(lost, scope.user, ("net_money", "pk"), 1))
    return YouAndFlow(
        with_flow=flows.get(Against.WITH, Sums()),
        against=flows.get(Against.AGAINST, Sums()),
        mixed=flows.get(Against.MIXED, Sums()),
        unknown=flows.get(Against.UNKNOWN, Sums()),
        with_curve=_curve(days, Against.WITH, scope),
        against_curve=_curve(days, Against.AGAINST, scope),
        worst=lines[0] if lines else None,
    )


def _curve(days: Mapping[DayAndFlow, Sums], flow: str, scope: Scope) -> list[tuple[date, Decimal]]:
    """Up to each day, from nothing on the day before the first trade of either kind."""
    both = {Against.WITH, Against.AGAINST}
    shown = sorted({day for (day, name), part in days.items() if name in both and part.count})
    so_far, points = Sums(), []
    for day in shown:
        so_far += days.get((day, flow), Sums())
        value = value_of(so_far, scope.chosen, of_trades=True)
        points.append((day, value if value is not None else Decimal(0)))
    return points
