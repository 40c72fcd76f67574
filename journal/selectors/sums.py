"""Sums, added up by PostgreSQL from what the ledger left there: exact, and the same for every page
and endpoint. Money is the sum of matches and payments by their own time; counts and rates are of
closed trades."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    Count,
    DateField,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast

from journal.metrics.undefined import Metric, Undefined
from journal.models import Payment, Preferences, Trade
from journal.risks import WIDE, with_r
from journal.selectors.scope import Scope

ZERO = Decimal(0)
Kind = Payment.Kind


@dataclass(frozen=True)
class Sums:
    """In the report currency. `net` = gross - fees + funding + income + results is everything that
    was earned, of open trades and of what is kept beside too; `traded` is that of the `count`
    closed trades alone. `unpriced` rows have no rate and are left out."""

    count: int = 0
    wins: int = 0
    losses: int = 0
    net: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    income: Decimal = ZERO
    # booked by the exchange for fills that nobody told
    results: Decimal = ZERO
    # of net: what coins kept beside the trades made, and what nobody knows the cost of
    stack: Decimal = ZERO
    apart: Decimal = ZERO
    traded: Decimal = ZERO
    won: Decimal = ZERO
    lost: Decimal = ZERO
    size: Decimal = ZERO
    best: Decimal | None = None
    worst: Decimal | None = None
    with_flow: int = 0
    against_flow: int = 0
    with_verdict: int = 0
    unpriced: int = 0
    # results by risk added up, of the trades with a risk; only asked for who looks at R
    r: Decimal = ZERO
    r_count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Of two groups that share no trade."""
        return total((self, other))

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        """What `net` is made of, where that is more than the closed trades: these, what is kept
        beside them, income, and the rest: trades that are open or closed at another time, and
        what belongs to none. Empty where the closed trades are all of it."""
        income = self.income + self.results
        rest = self.net - self.traded - self.stack - income
        named = [
            ("traded", self.traded),
            ("stack", self.stack),
            ("income", income),
            ("rest", rest),
        ]
        parts = [(name, value) for name, value in named if value]
        return [] if [name for name, _value in parts] in ([], ["traded"]) else parts

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
        return self.traded / self.count if self.count else Undefined.NOTHING

    @property
    def percent(self) -> Metric:
        """Net of the closed trades of what was put into them, in percent."""
        return self.traded / self.size * 100 if self.size else Undefined.NOTHING


# what is added up, one by one
NAMES = frozenset(field.name for field in fields(Sums))
ADDED = [field.name for field in fields(Sums) if field.name not in {"best", "worst"}]
_added = attrgetter(*ADDED)


def _of_trades() -> dict[str, Any]:
    won, lost = Q(net_money__gt=0), Q(net_money__lt=0)
    return {
        "count": Count("net_money"),
        "wins": Count("id", filter=won),
        "losses": Count("id", filter=lost),
        "traded": Sum("net_money"),
        "won": Sum("net_money", filter=won),
        "lost": Sum("net_money", filter=lost),
        "size": Sum("size_money"),
        "best": Max("net_money"),
        "worst": Min("net_money"),
        "with_flow": Count("id", filter=Q(flow="with")),
        "against_flow": Count("id", filter=Q(flow="against")),
        "with_verdict": Count("id", filter=~Q(flow="unknown")),
        "unpriced": Count("id", filter=Q(net_money=None)),
    }


def _of_matches() -> dict[str, Any]:
    stack = Q(trade__kind=Trade.Kind.STACK)
    return {
        "gross": Sum("gross_money"),
        "fees": Sum("fees_money"),
        "stack": Sum("net_money", filter=stack),
        "apart": Sum("apart_money"),
    }


def _of_payments() -> dict[str, Any]:
    kinds = {"funding": Kind.FUNDING, "income": Kind.INCOME, "results": Kind.RESULT}
    return {
        **{name: Sum("money", filter=Q(kind=kind)) for name, kind in kinds.items()},
        "returned": Sum("money", filter=Q(kind=Kind.FEE)),
    }


def sums(scope: Scope) -> Sums:
    trades, expressions = _prepared(scope)
    return _as_sums(
        trades.aggregate(**expressions),
        scope.matches.order_by().aggregate(**_of_matches()),
        scope.payments.order_by().aggregate(**_of_payments()),
    )


def sums_by_day(scope: Scope) -> dict[date, Sums]:
    """By the user's day: of money when it was earned, of trades when they closed; oldest first."""
    trades, expressions = _prepared(scope)
    return _merged(
        _by(trades, day_of_column("closed_at", scope.chosen), expressions),
        _by(scope.matches, day_of_column("closed_at", scope.chosen), _of_matches()),
        _by(scope.payments, day_of_column("time", scope.chosen), _of_payments()),
    )


# (the user's day, the verdict of the flow; "" for what belongs to no trade)
DayAndFlow = tuple[date, str]


def sums_by_day_and_flow(scope: Scope) -> dict[DayAndFlow, Sums]:
    """What `sums_by_day` tells, by the verdict of the trades too: one reading for both; oldest
    first."""
    trades, expressions = _prepared(scope)
    closing = day_of_column("closed_at", scope.chosen)
    of_trade = Case(When(trade__kind=Trade.Kind.TRADE, then=F("trade__flow")), default=Value(""))
    return _merged(
        _by(trades, closing, expressions, F("flow")),
        _by(scope.matches, closing, _of_matches(), of_trade),
        _by(scope.payments, day_of_column("time", scope.chosen), _of_payments(), of_trade),
    )


def of_days(parts: Mapping[DayAndFlow, Sums]) -> dict[date, Sums]:
    """By day alone, oldest first."""
    days: dict[date, list[Sums]] = defaultdict(list)
    for (day, _flow), part in parts.items():
        days[day].append(part)
    return {day: total(of_day) for day, of_day in days.items()}


def of_flows(parts: Mapping[DayAndFlow, Sums]) -> dict[str, Sums]:
    """By the verdict alone; what belongs to no trade is left out."""
    flows: dict[str, list[Sums]] = defaultdict(list)
    for (_day, flow), part in parts.items():
        if flow:
            flows[flow].append(part)
    return {flow: total(of_flow) for flow, of_flow in sorted(flows.items())}


def sums_by(scope: Scope, field: str) -> dict[str, Sums]:
    """By the value of a column of the trades; what belongs to no trade is left out."""
    of_trade = F(f"trade__{field}")
    trades, expressions = _prepared(scope)
    return _merged(
        _by(trades, F(field), expressions),
        _by(scope.matches.filter(trade__kind="trade"), of_trade, _of_matches()),
        _by(scope.payments.filter(trade__kind="trade"), of_trade, _of_payments()),
    )


def _by(
    rows: "QuerySet[Any]", group: Any, expressions: dict[str, Any], second: Any = None
) -> dict[Any, Any]:
    """By the group, or by (group, second)."""
    groups = {"group": group} if second is None else {"group": group, "second": second}
    grouped = rows.order_by().annotate(**groups).values(*groups).annotate(**expressions)
    if second is None:
        return {row["group"]: row for row in grouped}
    return {(row["group"], row.pop("second")): row for row in grouped}


def _merged(*parts: dict[Any, Any]) -> dict[Any, Sums]:
    groups = sorted({group for part in parts for group in part})
    return {group: _as_sums(*(part.get(group, {}) for part in parts)) for group in groups}


def _prepared(scope: Scope) -> tuple[QuerySet[Trade], dict[str, Any]]:
    """The closed ones, and what to add up; with R where its user looks at R."""
    closed, expressions, chosen = scope.trades.order_by(), _of_trades(), scope.chosen
    if chosen.unit != Preferences.Unit.RISK:
        return closed, expressions
    sums_of_r = {"r": Sum("result_by_risk"), "r_count": Count("risk")}
    return with_r(closed, chosen.user_id), {**expressions, **sums_of_r}


def day_of_column(field: str, chosen: Preferences) -> Cast:
    """The same as `journal.metrics.days.day_of`: by the wall clock of the zone, so that a day on
    which the clock is changed begins at its hour too."""
    wall = Func(Value(chosen.zone), F(field), function="timezone", output_field=DateTimeField())
    shift = Value(timedelta(hours=chosen.day_start), output_field=DurationField())
    return Cast(ExpressionWrapper(wall - shift, output_field=DateTimeField()), DateField())


class SampleVariance(Aggregate):
    """Exact in PostgreSQL; Django's own goes by float."""

    function = "VAR_SAMP"
    output_field = WIDE


def total(parts: Iterable[Sums]) -> Sums:
    """Of several groups that share no trade: figure by figure, all groups at once."""
    known = list(parts)
    if len(known) < 2:
        return known[0] if known else Sums()
    columns = zip(*map(_added, known), strict=True)
    added = {name: sum(column) for name, column in zip(ADDED, columns, strict=True)}
    bests = [part.best for part in known if part.best is not None]
    worsts = [part.worst for part in known if part.worst is not None]
    return Sums(**added, best=max(bests, default=None), worst=min(worsts, default=None))


def _as_sums(trades: Any, matches: Any, payments: Any) -> Sums:
    told = {name: value for part in (trades, matches, payments) for name, value in part.items()}
    returned = told.pop("returned", None) or ZERO
    values: dict[str, Any] = {
        name: value for name, value in told.items() if value is not None and name in NAMES
    }
    values["fees"] = values.get("fees", ZERO) - returned
    values["apart"] = values.get("apart", ZERO) + values.get("results", ZERO)
    amounts = (values.get(name, ZERO) for name in ("gross", "funding", "income", "results"))
    values["net"] = sum(amounts, ZERO) - values["fees"]
    return Sums(**values)
