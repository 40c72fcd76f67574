"""Findings about one's trades: which of them hold, what else was looked at, what it cost, and the
trades behind each. What it finds is kept by `journal.insight`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from journal.metrics import traits
from journal.metrics.days import day_of
from journal.metrics.findings import Compared, Dimension, Findings, Habit, find, means_by
from journal.models import Preferences
from journal.selectors import dimensions
from journal.selectors.insight_words import group_of, question_of
from journal.selectors.report_rows import Row

# of one's own outcome: shown as costs
Names = Callable[[Row], Sequence[str]]
COSTS: dict[str, Names] = {
    "mistake": lambda row: row.mistakes,
    "emotion": lambda row: (row.emotion,) if row.emotion else (),
    "stop": lambda row: (row.stop_moves or "none",),
    "hold": lambda row: (dimensions.holding(row),),
    "maker": lambda row: (dimensions.maker_bucket(row),),
}
STOP_MOVED, WINNER_CUT = "stop_moved", "winner_cut"
HABITS = (STOP_MOVED, WINNER_CUT)
UNITS = {Preferences.Unit.RISK: " R", Preferences.Unit.PERCENT: " %", Preferences.Unit.MONEY: ""}


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


Pair = tuple[int, float, float]
Entered = Mapping[int, traits.AtEntry]


def find_in(
    rows: Sequence[Row],
    chosen: Preferences,
    winners: Sequence[Pair] = (),
    entered: Entered = traits.NOTHING_KNOWN,
) -> Findings:
    """Of rows whose `net` is in the chosen unit (`report_rows.in_unit`). `winners`: trades that
    were closed before their target, with what keeping to it would have made, and what was made.
    `entered`: what was known at the first entry, by the trade's id."""
    results = [float(row.net) for row in rows]
    return find(results, questions(rows, chosen, entered), habits(rows, winners))


def claims(rows: Sequence[Row], chosen: Preferences) -> list[Told]:
    """What holds, alone."""
    return [tell(one, chosen) for one in find_in(rows, chosen).claims]


def groups(
    rows: Sequence[Row],
    chosen: Preferences,
    winners: Sequence[Pair] = (),
    entered: Entered = traits.NOTHING_KNOWN,
) -> dict[tuple[str, str], list[int]]:
    """The trades of each group of each question, by id."""
    by_group: dict[tuple[str, str], list[int]] = {}
    for question in questions(rows, chosen, entered):
        for row, name in zip(rows, question.groups, strict=True):
            if name is not None:
                by_group.setdefault((question.name, name), []).append(row.id)
    for by, names in COSTS.items():
        for row in rows:
            for name in names(row):
                by_group.setdefault((by, name), []).append(row.id)
    by_group[STOP_MOVED, ""] = [row.id for row in rows if row.kept is not None]
    by_group[WINNER_CUT, ""] = [trade_id for trade_id, _kept, _made in winners]
    return by_group


def questions(rows: Sequence[Row], chosen: Preferences, entered: Entered) -> list[Dimension]:
    nothing = traits.AtEntry()
    return traits.dimensions([_entry(row, chosen, entered.get(row.id, nothing)) for row in rows])


def habits(rows: Sequence[Row], winners: Sequence[Pair] = ()) -> list[Habit]:
    broken = [(float(row.kept), float(row.net)) for row in rows if row.kept is not None]
    return [
        Habit(STOP_MOVED, [kept for kept, _made in broken], [made for _kept, made in broken]),
        Habit(WINNER_CUT, [kept for _id, kept, _made in winners], [m for _id, _kept, m in winners]),
    ]


def _entry(row: Row, chosen: Preferences, at_entry: traits.AtEntry) -> traits.Entry:
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
        at_entry=at_entry,
    )


def costs(rows: Sequence[Row]) -> list[Compared]:
    """The mean of each group of two trades or more, with its range; beside nothing."""
    compared: list[Compared] = []
    for by, names in COSTS.items():
        values: dict[str, list[float]] = {}
        for row in rows:
            for name in names(row):
                values.setdefault(name, []).append(float(row.net))
        several = {name: part for name, part in values.items() if len(part) > 1}
        compared += [replace(one, dimension=by) for one in means_by(several).values()]
    return compared


def tell(one: Compared, chosen: Preferences) -> Told:
    question, name = question_of(one.dimension), group_of(one.dimension, one.group)
    unit = UNITS[Preferences.Unit(chosen.unit)]
    return Told(
        dimension=one.dimension,
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
        text=_words(one.dimension)
        % {
            "what": f"{question}, {name}",
            "effect": f"{one.effect:+.2f}{unit}",
            "range": f"{one.low:+.2f} … {one.high:+.2f}",
            "n": one.count,
        },
    )


def _words(dimension: str) -> str:
    if dimension in COSTS:
        return _("%(what)s: %(effect)s a trade (%(range)s, n = %(n)s)")
    if dimension in HABITS:
        return _("%(what)s: %(effect)s a trade beside keeping the rule (%(range)s, n = %(n)s)")
    return _("%(what)s: %(effect)s a trade beside the rest (%(range)s, n = %(n)s)")


def _amount(value: float) -> Decimal:
    return Decimal(f"{value:.8f}")
