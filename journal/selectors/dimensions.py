"""What trades are grouped by: each dimension's label, its value of a trade in PostgreSQL, and what
that value is called."""

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import (
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Collate, ExtractHour, ExtractIsoWeekDay, RowNumber
from django.db.models.lookups import IsNull, LessThan
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journal.models import Preferences, Trade
from journal.selectors.report_rows import Row
from journal.selectors.sums import day_of_column

NONE = "–"
SIZES = (100, 500, 1000, 2500, 5000, 10_000, 50_000)
FILLS = (3, 5, 10, 20, 50)
# per cent
MAKER_SHARES = (1, 50, 99)
EFFICIENCIES = (0, 25, 50, 75)
IMBALANCES = (-60, -20, 20, 60)
# minutes
HOLDS = (
    (1, "1 m"),
    (5, "5 m"),
    (15, "15 m"),
    (60, "1 h"),
    (240, "4 h"),
    (1440, "1 d"),
    (4320, "3 d"),
    (10_080, "1 w"),
)
HELD = ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField())


class Dimension(NamedTuple):
    """`value` is an expression over a trade's columns, or SQL over what `journal.selectors.tallies`
    joins to it: its note, and a `table` of the dimension's own. With `is_several` a trade may have
    more than one."""

    label: object
    value: Callable[[Preferences], Any] | str
    name: Callable[[Any], str] = str
    table: str = ""
    is_several: bool = False


def maker_bucket(row: Row) -> str:
    share = row.maker_share * 100
    return _bucket(_place(share, MAKER_SHARES), MAKER_SHARES, "%")


def holding(row: Row) -> str:
    minutes = (row.closed_at - row.opened_at) / timedelta(minutes=1)
    return _hold(_place(minutes, [edge for edge, _name in HOLDS]))


def _hold(at: int) -> str:
    if at == len(HOLDS):
        return f"{at + 1}. ≥ {HOLDS[-1][1]}"
    return f"{at + 1}. < {HOLDS[at][1]}"


def _place(value: Decimal | float, edges: Sequence[int]) -> int:
    """How many edges the value has reached."""
    return next((at for at, edge in enumerate(edges) if value < edge), len(edges))


def _bucket(at: int, edges: Sequence[int], unit: str = "") -> str:
    """`1. 10–100 $`: a number in front keeps them in order."""
    low = f"{edges[at - 1]:g}" if at else ""
    high = f"{edges[at]:g}" if at < len(edges) else ""
    span = f"{low}–{high}" if low and high else f"< {high}" if high else f"≥ {low}"
    return f"{at + 1}. {span} {unit}".strip()


def _places(value: Any, edges: Sequence[Any]) -> Case:
    """`_place` in PostgreSQL; null of null."""
    reached = [When(LessThan(value, edge), then=Value(at)) for at, edge in enumerate(edges)]
    unknown = When(IsNull(value, True), then=Value(None))
    return Case(unknown, *reached, default=Value(len(edges)), output_field=IntegerField())


def _shares(edges: Sequence[int]) -> list[Decimal]:
    return [Decimal(edge) / 100 for edge in edges]


def _session(hour: int) -> str:
    """By UTC: Asia 0-8, Europe 8-14, America 14-22, the rest between."""
    if hour < 8:
        return _("Asia")
    if hour < 14:
        return _("Europe")
    return _("America") if hour < 22 else _("Late")


def _weekday(number: int) -> str:
    days = (
        _("Monday"),
        _("Tuesday"),
        _("Wednesday"),
        _("Thursday"),
        _("Friday"),
        _("Saturday"),
        _("Sunday"),
    )
    return f"{number} {days[number - 1]}"


def _hour(zone: tzinfo) -> Cast:
    """Of the opening. PostgreSQL extracts it as a decimal."""
    return Cast(ExtractHour("opened_at", tzinfo=zone), IntegerField())


def _number_of_day(chosen: Preferences) -> Window:
    """Among the trades opened on its day."""
    return Window(
        RowNumber(),
        partition_by=day_of_column("opened_at", chosen),
        order_by=[F("opened_at").asc(), Collate("key", "C"), F("pk").asc()],
    )


def _efficiency(at: int | None) -> str:
    return NONE if at is None else _bucket(at, EFFICIENCIES, "%")


def _imbalance(at: int | None) -> str:
    """`2. -60 … -20 %`: of what takers traded before the entry, on the trade's side."""
    if at is None:
        return NONE
    if at == 0:
        return f"1. < {IMBALANCES[0]} %"
    if at == len(IMBALANCES):
        return f"{at + 1}. ≥ {IMBALANCES[-1]} %"
    return f"{at + 1}. {IMBALANCES[at - 1]} … {IMBALANCES[at]} %"


def _capped(most: int) -> Callable[[int], str]:
    return lambda number: f"{min(number, most)}" + ("+" if number >= most else "")


def _or_none(value: object) -> str:
    return str(value or NONE)


def _column(name: str) -> Callable[[Preferences], Any]:
    return lambda _chosen: F(name)


DIMENSIONS: dict[str, Dimension] = {
    "account": Dimension(gettext_lazy("Account"), _column("account__label")),
    "market": Dimension(gettext_lazy("Market"), _column("market")),
    "symbol": Dimension(gettext_lazy("Symbol"), _column("symbol")),
    "base": Dimension(gettext_lazy("Coin"), _column("base")),
    "direction": Dimension(gettext_lazy("Direction"), _column("direction")),
    "hour": Dimension(
        gettext_lazy("Hour of opening"),
        lambda chosen: _hour(chosen.tzinfo),
        lambda hour: f"{hour:02d}:00",
    ),
    "weekday": Dimension(
        gettext_lazy("Weekday"),
        lambda chosen: Cast(ExtractIsoWeekDay(day_of_column("opened_at", chosen)), IntegerField()),
        _weekday,
    ),
    # days are fewer than trades, and have their month here sooner than PostgreSQL writes it
    "month": Dimension(
        gettext_lazy("Month"),
        lambda chosen: day_of_column("closed_at", chosen),
        lambda day: f"{day:%Y-%m}",
    ),
    "session": Dimension(gettext_lazy("Session"), lambda _chosen: _hour(UTC), _session),
    "hold": Dimension(
        gettext_lazy("Holding time"),
        lambda _chosen: _places(HELD, [timedelta(minutes=edge) for edge, _name in HOLDS]),
        _hold,
    ),
    "size": Dimension(
        gettext_lazy("Size"),
        lambda _chosen: _places(F("size_money"), SIZES),
        lambda at: _bucket(at, SIZES),
    ),
    "fills": Dimension(
        gettext_lazy("Number of fills"),
        lambda _chosen: _places(F("fill_count"), FILLS),
        lambda at: _bucket(at, FILLS),
    ),
    "maker": Dimension(
        gettext_lazy("Maker share"),
        lambda _chosen: _places(F("maker_share"), _shares(MAKER_SHARES)),
        lambda at: _bucket(at, MAKER_SHARES, "%"),
    ),
    "flow": Dimension(
        gettext_lazy("Flow at entry"),
        _column("flow"),
        lambda verdict: str(Trade.Against(verdict).label),
    ),
    "imbalance": Dimension(
        gettext_lazy("Imbalance at entry"),
        lambda _chosen: _places(F("flow_share"), _shares(IMBALANCES)),
        _imbalance,
    ),
    "efficiency": Dimension(
        gettext_lazy("Exit efficiency"),
        lambda _chosen: _places(F("efficiency"), _shares(EFFICIENCIES)),
        _efficiency,
    ),
    "stop": Dimension(
        gettext_lazy("What became of the stop"),
        _column("stop_moves"),
        lambda moves: str(Trade.StopMoves(moves).label),
    ),
    "streak": Dimension(
        gettext_lazy("Losses in a row before"), "{joined}.losses", _capped(5), "streak"
    ),
    "of_day": Dimension(gettext_lazy("Trade of the day"), _number_of_day, _capped(10)),
    "setup": Dimension(gettext_lazy("Setup"), "note.setup", _or_none),
    "tag": Dimension(gettext_lazy("Tag"), "{joined}.name", _or_none, "tag", is_several=True),
    "mistake": Dimension(
        gettext_lazy("Mistake"), "{joined}.name", _or_none, "mistake", is_several=True
    ),
    "emotion": Dimension(gettext_lazy("Emotion"), "note.emotion", _or_none),
    "rating": Dimension(gettext_lazy("Rating"), "note.rating", _or_none),
    "reviewed": Dimension(
        gettext_lazy("Reviewed"),
        "note.is_reviewed",
        lambda is_reviewed: _("yes") if is_reviewed else _("no"),
    ),
}

# In the order in which they are offered.
SECTIONS: tuple[tuple[object, tuple[str, ...]], ...] = (
    (
        gettext_lazy("Time"),
        ("hour", "weekday", "month", "session", "hold", "of_day", "streak"),
    ),
    (gettext_lazy("Trade"), ("symbol", "base", "market", "account", "direction", "size")),
    (
        gettext_lazy("Plan"),
        ("setup", "tag", "mistake", "emotion", "rating", "reviewed", "stop", "efficiency"),
    ),
    (gettext_lazy("Flow"), ("flow", "imbalance")),
    (gettext_lazy("Cost"), ("maker", "fills")),
)


def by_section() -> list[tuple[object, list[tuple[str, object]]]]:
    """(a section's label, its dimensions with theirs)."""
    return [
        (label, [(name, DIMENSIONS[name].label) for name in names]) for label, names in SECTIONS
    ]
