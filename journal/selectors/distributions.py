"""How results lie and where they go: counted and averaged by PostgreSQL, in the chosen unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import (
    Aggregate,
    Avg,
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    QuerySet,
    RowRange,
    Value,
    When,
    Window,
)
from django.db.models.functions import Mod, RowNumber

from journal.drawings.spreads import round_edges
from journal.selectors.scope import Scope
from journal.selectors.units import trade_value

# points of a picture: more cannot be told apart
MOST_POINTS = 1_500
MOST_PLACES = 400
# of a hundred results so many at each end lie beyond the bins
TAIL = 0.02


class At(Aggregate):
    """The value at a share of all values in their order, none of them invented."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, share: float) -> None:
        super().__init__(expression, share=repr(share))


@dataclass(frozen=True)
class Distribution:
    edges: list[float]
    # below the first edge, between each two, from the last edge on
    counts: list[int]
    mean: float
    count: int


@dataclass(frozen=True)
class Dot:
    """A closed trade: how long it was held, its result, and the worst it stood at."""

    pk: int
    name: str
    minutes: float
    value: Decimal
    worst: Decimal | None


@dataclass(frozen=True)
class Place:
    """The mean of the last `window` results up to the trade of this number."""

    number: int
    closed_at: datetime
    means: dict[int, Decimal]


def distribution(scope: Scope) -> Distribution | None:
    """Of all closed trades that have a value in the chosen unit; None for fewer than two."""
    rows = _valued(scope)
    facts = rows.aggregate(count=Count("pk"), mean=Avg("value"))
    count = facts["count"]
    if count < 2:
        return None
    edges = round_edges(*_ends(rows, count))
    bins = [When(value__lt=Decimal(repr(edge)), then=Value(n)) for n, edge in enumerate(edges)]
    binned = rows.annotate(bin=Case(*bins, default=Value(len(edges)), output_field=IntegerField()))
    by_bin = dict(binned.order_by().values("bin").annotate(n=Count("pk")).values_list("bin", "n"))
    counts = [by_bin.get(at, 0) for at in range(len(edges) + 1)]
    return Distribution(edges, counts, float(facts["mean"]), count)


def _ends(rows: "QuerySet[Any]", count: int) -> tuple[float, float]:
    """The values so far from the lowest and from the highest that the tails lie beyond them."""
    cut = int(count * TAIL)
    # of the n-th value from 0 on, with half a place to spare on both sides
    shares = {name: (at + 0.5) / count for name, at in (("low", cut), ("high", count - 1 - cut))}
    ends = rows.aggregate(**{name: At("value", share) for name, share in shares.items()})
    return float(ends["low"]), float(ends["high"])


def dots(scope: Scope) -> list[Dot]:
    """The newest closed trades, as many as a picture can hold."""
    rows = _valued(scope).order_by("-closed_at", "-pk")[:MOST_POINTS]
    return [
        Dot(
            pk=row.pk,
            name=row.name,
            minutes=max((row.closed_at - row.opened_at) / timedelta(minutes=1), 1 / 60),
            value=row.value,
            worst=None if row.worst is None else row.worst * row.quote_rate * (row.rate or 1),
        )
        for row in rows
    ]


def trend(scope: Scope, windows: Sequence[int]) -> list[Place]:
    """Moving means in the order of closing; thinned out where there are very many."""
    rows = _valued(scope)
    count = rows.count()
    order: Any = [F("closed_at").asc(), F("pk").asc()]
    every = max(1, math.ceil(count / MOST_PLACES))
    means = {
        f"mean_{window}": Window(
            Avg("value"), order_by=order, frame=RowRange(start=-(window - 1), end=0)
        )
        for window in windows
    }
    numbered = rows.annotate(number=Window(RowNumber(), order_by=order), **means)
    shown = numbered.annotate(rest=Mod(F("number"), Value(every))).filter(rest=0)
    return [
        Place(
            row["number"],
            row["closed_at"],
            {n: row[f"mean_{n}"] for n in windows if row["number"] >= n},
        )
        for row in shown.order_by("number").values("number", "closed_at", *means)
    ]


def _valued(scope: Scope) -> "QuerySet[Any]":
    return trade_value(scope).filter(value__isnull=False)
