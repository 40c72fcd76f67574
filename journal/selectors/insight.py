"""Findings about one's trades: which of them hold, what else was looked at, and the trades behind
each. Kept until the data change: the key is made of the data themselves."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from django.core.cache import cache
from django.utils.translation import gettext as _

from journal.metrics import traits
from journal.metrics.days import day_of
from journal.metrics.findings import Compared, Dimension, Findings, Habit, find, means_by
from journal.models import Preferences
from journal.selectors import dimensions
from journal.selectors.insight_words import group_of, question_of
from journal.selectors.report_rows import Row

T = TypeVar("T")
KEPT_SECONDS = 86_400
# of one's own outcome: shown as costs
COSTS = ("mistake", "emotion", "stop", "hold", "maker")
STOP_MOVED = "stop_moved"
UNITS = {Preferences.Unit.RISK: " R", Preferences.Unit.PERCENT: " %", Preferences.Unit.MONEY: ""}
VERSION = 1


@dataclass(frozen=True)
class Told:
    """A comparison in words and amounts of the chosen unit; `query` leads to its trades."""

    dimension: str
    group: str
    question: str
    name: str
    count: int
    rest_count: int
    mean: Decimal
    rest_mean: Decimal
    effect: Decimal
    low: Decimal
    high: Decimal
    p: float
    is_claim: bool
    text: str

    @property
    def is_good(self) -> bool:
        return self.effect > 0

    @property
    def query(self) -> str:
        return urlencode({"by": self.dimension, "group": self.group})


@dataclass(frozen=True)
class Insight:
    """`questions`: how many were asked together; `too_few`: (question, group, n)."""

    claims: list[Told]
    compared: list[Told]
    costs: list[Told]
    too_few: list[tuple[str, str, int]]
    questions: int


def insight(rows: Sequence[Row], chosen: Preferences) -> Insight:
    """Of rows whose `net` is in the chosen unit (`report_rows.in_unit`)."""
    found = _kept(rows, chosen)
    return Insight(
        claims=[_told(one, chosen) for one in found.claims],
        compared=[_told(one, chosen) for one in found.compared],
        costs=_costs(rows, chosen),
        too_few=[(question_of(by), group_of(by, name), n) for by, name, n in found.too_few],
        questions=found.questions,
    )


def claims(rows: Sequence[Row], chosen: Preferences) -> list[Told]:
    """What holds, alone."""
    return [_told(one, chosen) for one in _kept(rows, chosen).claims]


def behind(rows: Sequence[Row], chosen: Preferences, by: str, group: str) -> list[int]:
    """The trades of a group, by id. Raises KeyError for an unknown question."""
    if by == STOP_MOVED:
        return [row.id for row in rows if row.kept is not None]
    if by in COSTS:
        names = dimensions.DIMENSIONS[by][1]
        return [row.id for row in rows if group in names(row, chosen)]
    groups = {one.name: one.groups for one in questions(rows, chosen)}[by]
    return [row.id for row, name in zip(rows, groups, strict=True) if name == group]


def questions(rows: Sequence[Row], chosen: Preferences) -> list[Dimension]:
    return traits.dimensions([_entry(row, chosen) for row in rows])


def habits(rows: Sequence[Row]) -> list[Habit]:
    broken = [(float(row.kept), float(row.net)) for row in rows if row.kept is not None]
    return [Habit(STOP_MOVED, [kept for kept, _made in broken], [made for _kept, made in broken])]


def _kept(rows: Sequence[Row], chosen: Preferences) -> Findings:
    results = [float(row.net) for row in rows]
    asked, broken = questions(rows, chosen), habits(rows)
    told = [
        results,
        [[one.name, list(one.groups)] for one in asked],
        [[one.name, list(one.kept), list(one.made)] for one in broken],
    ]
    return _remembered("findings", told, lambda: find(results, asked, broken))


def _remembered(kind: str, told: object, compute: Callable[[], T]) -> T:
    """What was computed of the same data before."""
    digest = hashlib.sha256(json.dumps([VERSION, told]).encode()).hexdigest()
    key = f"insight:{kind}:{digest}"
    kept: T | None = cache.get(key)
    if kept is None:
        kept = compute()
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _entry(row: Row, chosen: Preferences) -> traits.Entry:
    return traits.Entry(
        key=row.account + row.key,
        account=row.account,
        market=row.market,
        symbol=row.symbol,
        direction=row.direction,
        opened=row.opened_at,
        closed=row.closed_at,
        hour=row.opened_at.astimezone(chosen.tzinfo).hour,
        day=day_of(row.opened_at, chosen.tzinfo, time(chosen.day_start)),
        result=float(row.net),
        size=float(row.size),
        flow="" if row.flow == "unknown" else row.flow,
        setup=row.setup,
    )


def _costs(rows: Sequence[Row], chosen: Preferences) -> list[Told]:
    """The mean of each group of two trades or more, with its range; beside nothing."""
    found: list[Told] = []
    for by in COSTS:
        names = dimensions.DIMENSIONS[by][1]
        groups: dict[str, list[float]] = {}
        for row in rows:
            for name in names(row, chosen):
                if name != dimensions.NONE:
                    groups.setdefault(name, []).append(float(row.net))
        several = {name: part for name, part in groups.items() if len(part) > 1}
        means = _remembered("costs", several, partial(means_by, several))
        found += [_told(one, chosen, by) for one in means.values()]
    return found


def _told(one: Compared, chosen: Preferences, by: str = "") -> Told:
    dimension = by or one.dimension
    question, name = question_of(dimension), group_of(dimension, one.group)
    unit = UNITS[Preferences.Unit(chosen.unit)]
    if by:
        words = _("%(what)s: %(effect)s a trade (%(range)s, n = %(n)s)")
    elif one.dimension == STOP_MOVED:
        words = _("%(what)s: %(effect)s a trade beside keeping the rule (%(range)s, n = %(n)s)")
    else:
        words = _("%(what)s: %(effect)s a trade beside the rest (%(range)s, n = %(n)s)")
    return Told(
        dimension=dimension,
        group=one.group,
        question=question,
        name=name,
        count=one.count,
        rest_count=one.rest_count,
        mean=_amount(one.mean),
        rest_mean=_amount(one.rest_mean),
        effect=_amount(one.effect),
        low=_amount(one.low),
        high=_amount(one.high),
        p=one.p,
        is_claim=one.is_claim,
        text=words
        % {
            "what": f"{question}, {name}",
            "effect": f"{one.effect:+.2f}{unit}",
            "range": f"{one.low:+.2f} … {one.high:+.2f}",
            "n": one.count,
        },
    )


def _amount(value: float) -> Decimal:
    return Decimal(f"{value:.8f}")
