"""What flow verdicts were made of: a report that mixes sources says their shares."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from journal.models import FillFlow, Trade
from journal.selectors.scope import counted


@dataclass(frozen=True)
class BasisShare:
    """`window` is the one that the verdict is of; `share` is of all that have a verdict, 0 to 1."""

    basis: str
    window: str
    count: int
    share: float

    @property
    def label(self) -> str:
        return str(FillFlow.Basis(self.basis).label)

    @property
    def percent(self) -> int:
        return round(100 * self.share)


def bases_of(trades: QuerySet[Trade]) -> list[BasisShare]:
    """The most first; empty where no trade has a verdict."""
    rows = (
        counted(trades)
        .exclude(flow_basis="")
        .order_by()
        .values_list("flow_basis", "flow_window")
        .annotate(count=Count("pk"))
    )
    ordered = sorted(rows, key=lambda row: -row[2])
    total = sum(count for _, _, count in ordered)
    return [BasisShare(basis, window, count, count / total) for basis, window, count in ordered]
