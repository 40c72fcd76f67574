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
    Count,
    F,
    FloatField,
    Func,
    IntegerField,
    Q,
    QuerySet,
    RowRange,
    Sum,
    Value,
    Window,
)
from django.db.models.functions import Mod, RowNumber

from journal.drawings.spreads import round_edges
from journal.selectors.ends import BY_CLOSING, first_of
from journal.selectors.scope import Scope
from journal.selectors.units import trade_value

# points of a picture: more cannot be told apart
MOST_POINTS = 1_500
MOST_PLACES = 400
OF_A_DOT = (
    "market",
    "symbol",
    "base",
    "opened_at",
    "closed_at",
    "worst",
    "quote_rate",
    "rate",
)
# of a hundred results so many at each end lie beyond the bins
TAIL = 0.02
# so much inwards, that a share which falls between two results means the one that stays
HAIR = 1e-9


class At(Aggregate):
    """The value at a share of all values in their order, none of them invented."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, share: float) -> None:
        super().__init__(expression, share=repr(share))


class Bin(Func):
    """How many of the edges, which ascend, a value has reached."""

    function = "WIDTH_BUCKET"
    template = "%(function)s(%(expressions)s, ARRAY[%(edges)s]::numeric[])"
    output_field = IntegerField()

    def __init__(self, expression: str, edges: Sequence[float]) -> None:
        super().__init__(expression, edges=", ".join(repr(float(edge)) for edge in edges))


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
    facts = rows.aggregate(
        count=Count("pk"),
        mean=Avg("value"),
        low=At("value", TAIL + HAIR),
        high=At("value", 1 - TAIL - HAIR),
    )
    count = facts["count"]
    if count < 2:
        return None
    edges = round_edges(float(facts["low"]), float(facts["high"]))
    binned = rows.annotate(bin=Bin("value", edges)).order_by()
    by_bin = dict(binned.values("bin").annotate(n=Count("pk")).values_list("bin", "n"))
    counts = [by_bin.get(at, 0) for at in range(len(edges) + 1)]
    return Distribution(edges, counts, float(facts["mean"]), count)


def dots(scope: Scope) -> list[Dot]:
    """The newest closed trades, as many as a picture can hold."""
    rows = first_of(_valued(scope).only(*OF_A_DOT), scope.user, BY_CLOSING, MOST_POINTS)
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
    numbered = rows.annotate(
        number=Window(RowNumber(), order_by=order),
        so_far=Window(Sum("value"), order_by=order, frame=RowRange(start=None, end=0)),
    )
    # a mean is the difference of two sums, which are added up once for all windows
    ends = Q()
    for window in (0, *windows):
        numbered = numbered.annotate(**{f"rest_{window}": Mod(F("number") + window, Value(every))})
        ends |= Q(**{f"rest_{window}": 0})
    shown = numbered.filter(ends).order_by("number").values_list("number", "closed_at", "so_far")
    known = {number: (closed_at, so_far) for number, closed_at, so_far in shown}
    sums = {0: Decimal(0), **{number: so_far for number, (_at, so_far) in known.items()}}
    return [
        Place(
            number,
            closed_at,
            {n: (so_far - sums[number - n]) / n for n in windows if number >= n},
        )
        for number, (closed_at, so_far) in known.items()
        if number % every == 0
    ]


def _valued(scope: Scope) -> "QuerySet[Any]":
    return trade_value(scope).filter(value__isnull=False)
