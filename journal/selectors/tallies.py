"""Closed trades counted and added up by PostgreSQL, exactly, by the dimensions of a report: what a
report costs does not grow with what Python would have to load."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from operator import add, attrgetter, sub
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, Case, QuerySet, Value, When

from journal.models import Preferences, Trade
from journal.selectors.dimensions import DIMENSIONS, Dimension
from journal.selectors.scope import counted
from journal.selectors.sums import day_of_column

Unit = Preferences.Unit
ZERO = Decimal(0)
# Wide enough that sums of squares are never rounded.
EXACT = Context(prec=200)
COLUMNS = (
    "id",
    "key",
    "opened_at",
    "closed_at",
    "net",
    "net_money",
    "fees_money",
    "size_money",
    "entry_price",
    "quantity",
    "quote_rate",
    "placed_stop",
    "efficiency",
)
# Of several notes of a trade the first one counts.
NOTES = """
LEFT JOIN (
    SELECT DISTINCT ON (own.trade_key)
        own.id, own.trade_key, own.initial_stop, own.emotion, own.rating,
        own.reviewed_at IS NOT NULL AS is_reviewed, setup.name AS setup
    FROM journal_annotation own LEFT JOIN journal_setup setup ON setup.id = own.setup_id
    WHERE own.user_id = %s
    ORDER BY own.trade_key, own.id
) note ON note.trade_key = trade.key"""
TAGS = """
LEFT JOIN (
    SELECT link.annotation_id, tag.kind, tag.name
    FROM journal_annotation_tags link JOIN journal_tag tag ON tag.id = link.tag_id
) {joined} ON {joined}.annotation_id = note.id AND {joined}.kind = """
USUAL = "usual AS (SELECT %s::numeric AS risk)"
# Losses in a row that had been closed when a trade was opened: closings so far, less those up to
# the last that was no loss. A closing at the same moment as an opening comes first.
STREAKS = """
LEFT JOIN (
    SELECT id, closings - COALESCE(ended, 0) AS losses
    FROM (
        SELECT
            id, is_opening, closings,
            MAX(closings) FILTER (WHERE NOT is_opening AND net_money >= 0) OVER so_far AS ended
        FROM (
            SELECT
                id, at, is_opening, net_money,
                COUNT(*) FILTER (WHERE NOT is_opening) OVER so_far AS closings
            FROM (
                SELECT id, closed_at AS at, FALSE AS is_opening, net_money FROM trade
                UNION ALL
                SELECT id, opened_at, TRUE, NULL FROM trade
            ) moment
            WINDOW so_far AS (ORDER BY at, is_opening, id ROWS UNBOUNDED PRECEDING)
        ) closing
        WINDOW so_far AS (ORDER BY at, is_opening, id ROWS UNBOUNDED PRECEDING)
    ) run
    WHERE is_opening
) {joined} ON {joined}.id = trade.id"""
# tables of a dimension's own
JOINS = {"tag": TAGS + "'tag'", "mistake": TAGS + "'mistake'", "streak": STREAKS}
# by what the first stop would have cost, without one by the usual risk; as many places as no figure
# shows
R = """ROUND(trade.net / COALESCE(NULLIF(
    ABS(trade.entry_price - COALESCE(note.initial_stop, trade.placed_stop) * trade.quote_rate)
    * trade.quantity, 0), (SELECT risk FROM usual)), 30)"""
RESULTS = {
    Unit.MONEY: "trade.net_money",
    Unit.PERCENT: "trade.net_money::numeric(80, 30) / NULLIF(trade.size_money, 0) * 100",
    Unit.RISK: R,
}
CLOSING_DAY = Dimension("", lambda chosen: day_of_column("closed_at", chosen))
FIGURES = """
    COUNT(*),
    COUNT(*) FILTER (WHERE result > 0),
    COUNT(*) FILTER (WHERE result < 0),
    SUM(result),
    SUM(result * result),
    COALESCE(SUM(result) FILTER (WHERE result > 0), 0),
    COALESCE(SUM(result) FILTER (WHERE result < 0), 0),
    COALESCE(SUM(r), 0),
    COUNT(r),
    SUM(fees_money),
    SUM(closed_at - opened_at),
    COALESCE(SUM(efficiency), 0),
    COUNT(efficiency)"""


@dataclass(frozen=True)
class Tally:
    """What a group of trades adds up to. `net`, `squares`, `won` and `lost` are of their results in
    the unit that was asked for, `lost` is negative; `r` of the `r_count` of which a risk
    is known, `efficiency` what the exits took of the best, of the `efficient_count` of which the
    market is known."""

    count: int = 0
    wins: int = 0
    losses: int = 0
    net: Decimal = ZERO
    squares: Decimal = ZERO
    won: Decimal = ZERO
    lost: Decimal = ZERO
    r: Decimal = ZERO
    r_count: int = 0
    fees: Decimal = ZERO
    held: timedelta = timedelta()
    efficiency: Decimal = ZERO
    efficient_count: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        with localcontext(EXACT):
            return Tally(*map(add, _figures(self), _figures(other)))

    def __sub__(self, other: "Tally") -> "Tally":
        """Without trades that are all in this group."""
        with localcontext(EXACT):
            return Tally(*map(sub, _figures(self), _figures(other)))

    @property
    def variance(self) -> Decimal | None:
        """The sample's; None of fewer than two."""
        if self.count < 2:
            return None
        with localcontext(EXACT):
            deviations = self.count * self.squares - self.net * self.net
            return deviations / (self.count * (self.count - 1))


_figures = attrgetter(*(figure.name for figure in fields(Tally)))
# (a value of each part that it is grouped by, what the trades that have them add up to)
Row = tuple[tuple[Any, ...], Tally]
# numbers of the parts that rows are grouped by
Way = tuple[int, ...]


def tally(trades: "QuerySet[Trade]", chosen: Preferences, unit: str = Unit.MONEY) -> Tally:
    """Of those that a statistic may count and that have a result in the unit."""
    return tallies(trades, chosen, (), unit).get((), Tally())


def how_many(trades: "QuerySet[Trade]", chosen: Preferences, unit: str = Unit.MONEY) -> int:
    """`tally(…).count`, without adding anything up where it can be had so."""
    if unit == Unit.RISK:
        return tally(trades, chosen, unit).count
    valued = counted(trades).filter(net_money__isnull=False)
    if unit == Unit.PERCENT:
        valued = valued.filter(size_money__isnull=False).exclude(size_money=0)
    return valued.order_by().count()


def tallies(
    trades: "QuerySet[Trade]",
    chosen: Preferences,
    dimensions: Iterable[str],
    unit: str = Unit.MONEY,
) -> dict[tuple[str, ...], Tally]:
    """By the names of their groups, one for each of the dimensions. A trade with two tags is in two
    groups. Raises KeyError for an unknown dimension."""
    parts = [DIMENSIONS[name] for name in dimensions]
    groups: dict[tuple[str, ...], Tally] = {}
    for values, figures in _rows(trades, chosen, parts, Unit(unit)):
        names = tuple(part.name(value) for part, value in zip(parts, values, strict=True))
        groups[names] = groups.get(names, Tally()) + figures
    return groups


@dataclass(frozen=True)
class Split:
    """Trades by the groups of one dimension, and by the reader's day on which they closed."""

    groups: dict[str, Tally] = field(default_factory=dict)
    days: dict[date, Tally] = field(default_factory=dict)


def split_of(
    trades: "QuerySet[Trade]",
    chosen: Preferences,
    dimension: str,
    unit: str = Unit.MONEY,
    marked: "QuerySet[Trade] | None" = None,
) -> tuple[Split, Split]:
    """Of those that `marked` has and of the others, in one reading of the trades wherever none of
    them is in two groups. Raises KeyError for an unknown dimension."""
    part = DIMENSIONS[dimension]
    cases = [] if marked is None else [When(pk__in=marked.order_by().values("pk"), then=True)]
    is_marked = Case(*cases, default=Value(False), output_field=BooleanField())
    mark = Dimension("", lambda _chosen: is_marked)
    parts = [mark, part, CLOSING_DAY]
    by_group: Way = (0, 1)
    by_day: Way = (0, 2)
    if part.is_several:
        rows = [
            (way, row)
            for way, these in ((by_group, [mark, part]), (by_day, [mark, CLOSING_DAY]))
            for row in _rows(trades, chosen, these, Unit(unit))
        ]
    else:
        rows = _rows_by(trades, chosen, parts, Unit(unit), [by_group, by_day])
    others, of_mark = Split(), Split()
    for way, (values, figures) in rows:
        split = of_mark if values[0] else others
        if way == by_day:
            split.days[values[1]] = figures
        else:
            name = part.name(values[1])
            split.groups[name] = split.groups.get(name, Tally()) + figures
    return of_mark, others


def _rows(
    trades: "QuerySet[Trade]",
    chosen: Preferences,
    parts: Sequence[Dimension],
    unit: Preferences.Unit,
) -> list[Row]:
    ways = [tuple(range(len(parts)))]
    return [row for _way, row in _rows_by(trades, chosen, parts, unit, ways)]


def _rows_by(
    trades: "QuerySet[Trade]",
    chosen: Preferences,
    parts: Sequence[Dimension],
    unit: Preferences.Unit,
    ways: Sequence[Way],
) -> list[tuple[Way, Row]]:
    """Grouped in several ways in one reading: each way names the parts that it groups by."""
    values, columns, joins = [], {}, [NOTES]
    for number, part in enumerate(parts):
        if isinstance(part.value, str):
            joined = f"joined_{number}"
            values.append(part.value.format(joined=joined))
            joins.append(JOINS.get(part.table, "").format(joined=joined))
        else:
            values.append(f"trade.value_{number}")
            columns[f"value_{number}"] = part.value(chosen)
    closed = counted(trades).filter(net_money__isnull=False).order_by()
    wanted = closed.annotate(**columns).values(*COLUMNS, *columns)
    try:
        sql, params = wanted.query.sql_with_params()
    except EmptyResultSet:
        return []
    known = [f"{value} AS name_{number}" for number, value in enumerate(values)]
    known += [f"{RESULTS[unit]} AS result", f"{R} AS r", "fees_money", "efficiency"]
    known += ["closed_at", "opened_at"]
    names = [f"name_{number}" for number in range(len(values))]
    sets = ", ".join(f"({', '.join(names[number] for number in way)})" for way in ways)
    # which of the ways a row is of: a bit for each part that it is not grouped by
    told = [*names, f"GROUPING({', '.join(names)})" if names else "0"]
    # every piece is Django's own or stands above; without OFFSET 0 PostgreSQL works a result out
    # anew for each figure that it is in
    query = (
        f"WITH trade AS ({sql}), {USUAL} SELECT {', '.join(told)}, {FIGURES} "  # noqa: S608
        f"FROM (SELECT {', '.join(known)} FROM trade {' '.join(joins)} OFFSET 0) known "
        f"WHERE result IS NOT NULL GROUP BY GROUPING SETS ({sets})"
    )
    with _joining_whole_sets() as cursor:
        cursor.execute(query, [*params, chosen.usual_risk, chosen.user_id])
        rows = cursor.fetchall()
    count = len(parts)
    way_of = {_bits(way, count): way for way in ways}
    return [
        (way, (tuple(row[number] for number in way), Tally(*row[count + 1 :])))
        for row in rows
        if row[count + 1]
        for way in [way_of[row[count]]]
    ]


@contextmanager
def _joining_whole_sets() -> "Iterator[CursorWrapper]":
    """Where much was just written PostgreSQL may take a table for empty, until it has counted
    again, and join whole sets row by row: seconds for some hundred trades."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop = on")


def _bits(way: Way, count: int) -> int:
    """As GROUPING tells it: the first part is the highest bit."""
    return sum(1 << (count - 1 - number) for number in range(count) if number not in way)
