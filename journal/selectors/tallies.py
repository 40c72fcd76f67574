"""Closed trades counted and added up by PostgreSQL, exactly, by the dimensions of a report: what a
report costs does not grow with what Python would have to load."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

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
# by what the first stop would have cost; as many places as no figure shows
R = """ROUND(trade.net / NULLIF(
    ABS(trade.entry_price - COALESCE(note.initial_stop, trade.placed_stop) * trade.quote_rate)
    * trade.quantity, 0), 30)"""
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
    SUM(closed_at - opened_at)"""


@dataclass(frozen=True)
class Tally:
    """What a group of trades adds up to. `net`, `squares`, `won` and `lost` are of their results in
    the unit that was asked for, `lost` is negative; `r` of the `r_count` with a first stop."""

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

    def __add__(self, other: "Tally") -> "Tally":
        with localcontext(EXACT):
            return Tally(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: "Tally") -> "Tally":
        """Without trades that are all in this group."""
        with localcontext(EXACT):
            return Tally(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def variance(self) -> Decimal | None:
        """The sample's; None of fewer than two."""
        if self.count < 2:
            return None
        with localcontext(EXACT):
            deviations = self.count * self.squares - self.net * self.net
            return deviations / (self.count * (self.count - 1))


def tally(trades: "QuerySet[Trade]", chosen: Preferences, unit: str = Unit.MONEY) -> Tally:
    """Of those that a statistic may count and that have a result in the unit."""
    return tallies(trades, chosen, (), unit).get((), Tally())


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


def tallies_by_day(
    trades: "QuerySet[Trade]", chosen: Preferences, unit: str = Unit.MONEY
) -> dict[date, Tally]:
    """By the reader's day on which they closed, oldest first."""
    rows = _rows(trades, chosen, [CLOSING_DAY], Unit(unit))
    return {values[0]: figures for values, figures in sorted(rows, key=lambda row: row[0])}


def _rows(
    trades: "QuerySet[Trade]",
    chosen: Preferences,
    parts: Sequence[Dimension],
    unit: Preferences.Unit,
) -> list[tuple[tuple[Any, ...], Tally]]:
    """(a value of each dimension, what the trades that have them add up to)"""
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
    known += [f"{RESULTS[unit]} AS result", f"{R} AS r", "fees_money", "closed_at", "opened_at"]
    groups = ", ".join(f"name_{number}" for number in range(len(values)))
    # every piece is Django's own or stands above
    query = (
        f"WITH trade AS ({sql}) SELECT {groups and groups + ','}{FIGURES} "  # noqa: S608
        f"FROM (SELECT {', '.join(known)} FROM trade {' '.join(joins)}) known "
        f"WHERE result IS NOT NULL {groups and 'GROUP BY ' + groups}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [*params, chosen.user_id])
        rows = [(row[: len(parts)], row[len(parts) :]) for row in cursor.fetchall()]
    return [(values, Tally(*figures)) for values, figures in rows if figures[0]]
