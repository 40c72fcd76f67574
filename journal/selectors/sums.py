"""Sums over trades, added up by PostgreSQL from what the ledger left there: exact, and the same for
every page and endpoint."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Aggregate,
    Avg,
    Count,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Abs, Cast, NullIf

from journal.metrics.spread import Spread, spread
from journal.metrics.undefined import Metric, Undefined
from journal.models import Annotation, Preferences, Trade

ZERO = Decimal(0)
WIDE = DecimalField(max_digits=80, decimal_places=30)


@dataclass(frozen=True)
class Sums:
    """Of closed trades, in the report currency; `unpriced` trades have no rate and are left out."""

    count: int = 0
    wins: int = 0
    losses: int = 0
    net: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    won: Decimal = ZERO
    lost: Decimal = ZERO
    size: Decimal = ZERO
    best: Decimal | None = None
    worst: Decimal | None = None
    with_flow: int = 0
    with_verdict: int = 0
    unpriced: int = 0
    # results by risk added up, of the trades with a first stop; only asked for who looks at R
    r: Decimal = ZERO
    r_count: int = 0

    @property
    def win_rate(self) -> Metric:
        return Decimal(self.wins) / self.count if self.count else Undefined.NOTHING

    @property
    def profit_factor(self) -> Metric:
        if not self.count:
            return Undefined.NOTHING
        return self.won / -self.lost if self.lost else Undefined.NO_LOSSES

    @property
    def expectancy(self) -> Metric:
        return self.net / self.count if self.count else Undefined.NOTHING

    @property
    def percent(self) -> Metric:
        """Net of what was put in, in percent."""
        return self.net / self.size * 100 if self.size else Undefined.NOTHING


def _expressions() -> dict[str, Any]:
    won, lost = Q(net_money__gt=0), Q(net_money__lt=0)
    return {
        "count": Count("net_money"),
        "wins": Count("id", filter=won), "losses": Count("id", filter=lost),
        "net": Sum("net_money"), "gross": Sum("gross_money"), "fees": Sum("fees_money"),
        "funding": Sum("funding_money"), "won": Sum("net_money", filter=won),
        "lost": Sum("net_money", filter=lost), "size": Sum("size_money"),
        "best": Max("net_money"), "worst": Min("net_money"),
        "with_flow": Count("id", filter=Q(flow="with")),
        "with_verdict": Count("id", filter=~Q(flow="unknown")),
        "unpriced": Count("id", filter=Q(net_money=None)),
    }  # fmt: skip


def sums(trades: QuerySet[Trade], chosen: Preferences) -> Sums:
    """Of those among them that are closed."""
    closed, expressions = _prepared(trades, chosen)
    return _as_sums(closed.aggregate(**expressions))


def sums_by_day(trades: QuerySet[Trade], chosen: Preferences) -> dict[date, Sums]:
    """By the user's day of closing, oldest first."""
    closed, expressions = _prepared(trades, chosen)
    rows = closed.annotate(day=_day_of("closed_at", chosen)).values("day").annotate(**expressions)
    return {row["day"]: _as_sums(row) for row in sorted(rows, key=lambda row: row["day"])}


def _prepared(
    trades: QuerySet[Trade], chosen: Preferences
) -> tuple[QuerySet[Trade], dict[str, Any]]:
    """The closed ones, and what to add up; with R where its user looks at R."""
    closed, expressions = trades.filter(closed_at__isnull=False).order_by(), _expressions()
    if chosen.unit != Preferences.Unit.RISK:
        return closed, expressions
    stops = Annotation.objects.filter(user=chosen.user_id, trade_key=OuterRef("key"))
    first_stop = Subquery(stops.values("initial_stop")[:1])
    risk = ExpressionWrapper(Abs(F("entry_price") - first_stop) * F("quantity"), output_field=WIDE)
    closed = closed.annotate(risk=NullIf(risk, Value(ZERO, output_field=WIDE)))
    closed = closed.annotate(
        result_by_risk=ExpressionWrapper(F("net") / F("risk"), output_field=WIDE)
    )
    return closed, {**expressions, "r": Sum("result_by_risk"), "r_count": Count("risk")}


def _day_of(field: str, chosen: Preferences) -> Cast:
    """The same as `journal.metrics.days.day_of`: by the wall clock of the zone, so that a day on
    which the clock is changed begins at its hour too."""
    wall = Func(Value(chosen.zone), F(field), function="timezone", output_field=DateTimeField())
    shift = Value(timedelta(hours=chosen.day_start), output_field=DurationField())
    return Cast(ExpressionWrapper(wall - shift, output_field=DateTimeField()), DateField())


def sums_by(trades: QuerySet[Trade], field: str) -> dict[str, Sums]:
    """By the value of a column."""
    rows = (
        trades.filter(closed_at__isnull=False).order_by().values(field).annotate(**_expressions())
    )
    return {row[field]: _as_sums(row) for row in rows}


class SampleVariance(Aggregate):
    """Exact in PostgreSQL; Django's own goes by float."""

    function = "VAR_SAMP"
    output_field = WIDE


def spreads_by(trades: QuerySet[Trade], field: str) -> dict[str, Spread]:
    """Of the mean net, by the value of a column, in one query."""
    rows = (
        trades.filter(closed_at__isnull=False, net_money__isnull=False)
        .order_by()
        .values(field)
        .annotate(
            mean=Avg("net_money", output_field=WIDE),
            variance=SampleVariance("net_money"),
            count=Count("id"),
        )
    )
    return {row[field]: spread(row["mean"], row["variance"], row["count"]) for row in rows}


def total(parts: Iterable[Sums]) -> Sums:
    """Of several groups that share no trade."""
    found = list(parts)
    names = ("count", "wins", "losses", "net", "gross", "fees", "funding", "won", "lost", "size",
             "with_flow", "with_verdict", "unpriced", "r", "r_count")  # fmt: skip
    bests = [part.best for part in found if part.best is not None]
    worsts = [part.worst for part in found if part.worst is not None]
    added: dict[str, Any] = {
        name: sum((getattr(part, name) for part in found), type(getattr(Sums(), name))(0))
        for name in names
    }
    added |= {"best": max(bests, default=None), "worst": min(worsts, default=None)}
    return Sums(**added)


def _as_sums(row: Any) -> Sums:
    names = Sums.__dataclass_fields__
    keeps_none = {"best", "worst"}
    found: dict[str, Any] = {
        name: ZERO if row[name] is None and name not in keeps_none else row[name]
        for name in names
        if name in row
    }
    return Sums(**found)
