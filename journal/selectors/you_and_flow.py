"""You and the flow: what trades earned that were opened with the takers of the minute before, and
what those earned that were opened against them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from journal.models import Trade
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums_by_day_and_flow, total
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


def you_and_flow(scope: Scope) -> YouAndFlow:
    """In two queries and those of the worst trade's notes, however many trades there are."""
    days = sums_by_day_and_flow(scope)
    parts = {
        name: total(day_sums for (_day, flow), day_sums in days.items() if flow == name)
        for name in Against.values
    }
    worst = scope.trades.filter(flow=Against.AGAINST, net_money__lt=0).order_by("net_money", "pk")
    lines = with_notes(scope.user, worst[:1])
    return YouAndFlow(
        with_flow=parts[Against.WITH],
        against=parts[Against.AGAINST],
        mixed=parts[Against.MIXED],
        unknown=parts[Against.UNKNOWN],
        with_curve=_curve(days, Against.WITH, scope),
        against_curve=_curve(days, Against.AGAINST, scope),
        worst=lines[0] if lines else None,
    )


def _curve(
    days: Mapping[tuple[date, str], Sums], flow: str, scope: Scope
) -> list[tuple[date, Decimal]]:
    """Up to each day, from nothing on the day before the first trade of either kind."""
    shown = sorted({day for day, name in days if name in {Against.WITH, Against.AGAINST}})
    so_far, points = Sums(), []
    for day in shown:
        if (day, flow) in days:
            so_far = total([so_far, days[day, flow]])
        value = value_of(so_far, scope.chosen, of_trades=True)
        points.append((day, value if value is not None else Decimal(0)))
    return points
