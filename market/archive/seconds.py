"""1 s bars and tape states in PostgreSQL, written together in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from lib.dates import from_seconds, to_seconds
from lib.decimals import QUOTE_PLACES, decimal, from_decimal
from market.flow.bars import Bar
from market.hot.codec import (
    GapRecord,
    State,
    pack,
    sweep_from,
    sweep_text,
    take_trade,
    trade_text,
    unpack,
)
from market.models import Gap, TapeState

# column -> decimal places of its scaled integer, None for a plain integer
COLUMNS: dict[str, int | None] = {
    "open": 8,
    "high": 8,
    "low": 8,
    "close": 8,
    "trades": None,
    "first_id": None,
    "last_id": None,
    "base_buy": 8,
    "base_sell": 8,
    "quote_buy": QUOTE_PLACES,
    "quote_sell": QUOTE_PLACES,
    "delta_low": QUOTE_PLACES,
    "delta_high": QUOTE_PLACES,
    "bid": 8,
    "ask": 8,
}
ALL = ["instrument_id", "time", *COLUMNS, "trade_bands", "order_bands", "band_set", "revision"]

# What is written again as it was keeps its origin; %s says whether it is.
UPSERT = f"""
INSERT INTO market_second_bar ({", ".join(ALL)}) SELECT {", ".join(ALL)} FROM incoming_second_bar
ON CONFLICT (instrument_id, time) DO UPDATE
SET ({", ".join(ALL[2:])}, from_archive) = ({", ".join("excluded." + name for name in ALL[2:])},
     %s AND market_second_bar.from_archive)
WHERE (excluded.revision, excluded.trades)
   >= (market_second_bar.revision, market_second_bar.trades)
"""  # noqa: S608  (column names are ours)

# Whoever writes 1 s bars makes the longer bars of their hours due again, in one transaction.
MARK_HOURS = """
INSERT INTO market_archivehour (instrument_id, hour, version, is_done)
SELECT %s, hour, 1, false FROM unnest(%s::timestamptz[]) AS hour
ON CONFLICT (instrument_id, hour) DO UPDATE
SET version = market_archivehour.version + 1, is_done = false
"""

UPSERT_STATE = """
INSERT INTO market_tapestate (instrument_id, last_id, revision, newest, covered_from, covered_to,
                              ticks, sweep, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())
ON CONFLICT (instrument_id) DO UPDATE
SET (last_id, revision, newest, covered_from, covered_to, ticks, sweep, updated_at)
  = (excluded.last_id, excluded.revision, excluded.newest, excluded.covered_from,
     excluded.covered_to, excluded.ticks, excluded.sweep, now())
WHERE (excluded.revision, excluded.last_id)
   >= (market_tapestate.revision, market_tapestate.last_id)
"""

UPSERT_GAP = """
INSERT INTO market_gap (instrument_id, first_id, last_id, from_ms, to_ms, cause, state,
                        created_at, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, now(), now())
ON CONFLICT (instrument_id, first_id) DO UPDATE
SET (last_id, from_ms, to_ms, cause, state, updated_at)
  = (excluded.last_id, excluded.from_ms, excluded.to_ms, excluded.cause, excluded.state, now())
WHERE market_gap.state = 'open'
"""


def save(
    instrument_id: int,
    band_set: str,
    bars: Sequence[Bar],
    state: State | None,
    gaps: Iterable[GapRecord] = (),
    gone: Sequence[int] = (),
    *,
    is_rewritten: bool = False,
) -> None:
    """Write absolute values; of two versions of a bar the higher (revision, trades) stays. `gone`
    are open times (epoch s) of bars that the exchange does not have. `is_rewritten`: they were read
    from here, so that they are still from where they were.

    `bars` and `state` must be of one moment: whoever resumes from here applies what follows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if bars:
            cursor.execute(
                "CREATE TEMP TABLE incoming_second_bar (LIKE market_second_bar) ON COMMIT DROP"
            )
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY incoming_second_bar ({', '.join(ALL)}) FROM STDIN") as copy,
            ):
                for bar in bars:
                    copy.write_row(row_of(instrument_id, band_set, bar))
            cursor.execute(UPSERT, [is_rewritten])
            cursor.execute("DROP TABLE incoming_second_bar")
        if gone:
            cursor.execute(
                "DELETE FROM market_second_bar WHERE instrument_id = %s AND time = ANY(%s)",
                [instrument_id, [from_seconds(at) for at in gone]],
            )
        mark_hours(instrument_id, [*(bar.time for bar in bars), *gone])
        if state is not None:
            cursor.execute(
                UPSERT_STATE,
                [
                    instrument_id,
                    state.last_id,
                    state.revision,
                    state.newest,
                    state.covered_from,
                    state.covered_to,
                    state.ticks,
                    sweep_text(state.sweep),
                ],
            )
        save_gaps(instrument_id, gaps)


def mark_hours(instrument_id: int, times: Iterable[int]) -> None:
    """1 s bars of these open times (epoch s) have changed."""
    hours = sorted({at - at % 3600 for at in times})
    if hours:
        with connection.cursor() as cursor:
            cursor.execute(MARK_HOURS, [instrument_id, [from_seconds(hour) for hour in hours]])


def save_gaps(instrument_id: int, gaps: Iterable[GapRecord]) -> None:
    """A closed gap is never opened again by a late writer."""
    rows: list[list[int | str]] = [
        [instrument_id, gap.first_id, gap.last_id, gap.from_ms, gap.to_ms, gap.cause, gap.state]
        for gap in gaps
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(UPSERT_GAP, rows)


def load_state(instrument_id: int) -> State | None:
    row = TapeState.objects.filter(pk=instrument_id).first()
    if row is None:
        return None
    return State(
        last_id=row.last_id,
        revision=row.revision,
        newest=row.newest,
        covered_from=row.covered_from,
        covered_to=row.covered_to,
        ticks=row.ticks,
        sweep=sweep_from(row.sweep),
    )


def load(
    instrument_id: int,
    start: int,
    end: int,
    band_set: str | None = None,
    table: str = "market_second_bar",
) -> dict[int, Bar]:
    """Bars with start <= open time < end (epoch seconds), keyed by open time; 1 s bars unless
    another of our tables is named."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(ALL[1:])} FROM {table} "  # noqa: S608  (a name of ours)
            "WHERE instrument_id = %s AND time >= %s AND time < %s "
            "AND (%s::text IS NULL OR band_set = %s) ORDER BY time",
            [instrument_id, from_seconds(start), from_seconds(end), band_set, band_set],
        )
        bars = [_bar(row) for row in cursor.fetchall()]
    return {bar.time: bar for bar in bars}


def saved_newest(instrument_id: int) -> int | None:
    """Open time (epoch s) of the newest bar that PostgreSQL's own state knows."""
    return TapeState.objects.filter(pk=instrument_id).values_list("newest", flat=True).first()


def first_id(instrument_id: int, since: int) -> int | None:
    """The oldest trade id of the oldest bar since a moment (epoch s)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT first_id FROM market_second_bar WHERE instrument_id = %s AND trades > 0 "
            "AND time >= %s ORDER BY time LIMIT 1",
            [instrument_id, from_seconds(since)],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def close_before(instrument_id: int, at: int) -> int | None:
    """The last price before a moment (epoch seconds), scaled by 1e-8."""
    for since in (at - 2 * 86_400, 0):  # first a few partitions, not thousands
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT close FROM market_second_bar WHERE instrument_id = %s AND time < %s "
                "AND time >= %s AND trades > 0 ORDER BY time DESC LIMIT 1",
                [instrument_id, from_seconds(at), from_seconds(since)],
            )
            row = cursor.fetchone()
        if row is not None:
            return from_decimal(Decimal(row[0]))
    return None


def load_gaps(instrument_id: int, start_ms: int, end_ms: int) -> list[GapRecord]:
    """Gaps that touch [start, end), oldest first."""
    rows = Gap.objects.filter(
        instrument_id=instrument_id, to_ms__gte=start_ms, from_ms__lt=end_ms
    ).order_by("first_id")
    return [
        GapRecord(gap.first_id, gap.last_id, gap.from_ms, gap.to_ms, gap.cause, gap.state)
        for gap in rows
    ]


def resume_state(instrument_id: int) -> State | None:
    """The state to resume with after Redis lost the tape, under a revision above all before.

    Bars that hold trades behind the saved cursor would count them twice: they go, the cursor moves
    before them, and their ids are asked for again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        state = load_state(instrument_id)
        if state is None:
            return None
        # bars before the tape's beginning may be of an older tape with higher ids
        since = from_seconds(max(state.newest - 3600, state.covered_from // 1000))
        cursor.execute(
            "SELECT max(revision) FROM market_second_bar WHERE instrument_id = %s AND time >= %s",
            [instrument_id, since],
        )
        revision = max(state.revision, cursor.fetchone()[0] or 0) + 1
        first_id, ahead = state.last_id + 1, None
        while ahead != first_id:  # a bar that begins earlier may reach into an earlier one
            ahead = first_id
            cursor.execute(
                "SELECT min(first_id) FROM market_second_bar "
                "WHERE instrument_id = %s AND time >= %s AND last_id >= %s",
                [instrument_id, since, first_id],
            )
            first_id = min(first_id, cursor.fetchone()[0] or first_id)
        cursor.execute(
            "DELETE FROM market_second_bar "
            "WHERE instrument_id = %s AND time >= %s AND last_id >= %s",
            [instrument_id, since, first_id],
        )
        if cursor.rowcount:
            mark_hours(instrument_id, range(int(since.timestamp()), state.newest + 3600, 3600))
        if first_id <= state.last_id:
            state = replace(state, last_id=first_id - 1, sweep=None)
    minute = state.newest - state.newest % 60
    return replace(state, revision=revision, hot_from=minute)


def load_open_gaps(instrument_id: int) -> list[GapRecord]:
    """What was still to be filled when Redis was lost."""
    return [gap for gap in load_gaps(instrument_id, 0, 2**53) if gap.state == "open"]


def row_of(instrument_id: int, band_set: str, bar: Bar) -> list[Any]:
    row: list[Any] = [instrument_id, from_seconds(bar.time)]
    for name, places in COLUMNS.items():
        value: int = getattr(bar, name)
        row.append(value if places is None else decimal(value, places))
    return [*row, trade_text(bar), pack(bar.order), band_set, bar.revision]


def _bar(row: Sequence[Any]) -> Bar:
    time: datetime = row[0]
    bar = Bar(to_seconds(time))
    for value, (name, places) in zip(row[1:], COLUMNS.items(), strict=False):
        exact: Decimal | int = value
        setattr(bar, name, exact if places is None else from_decimal(Decimal(exact), places))
    take_trade(bar, row[-4])
    bar.order = unpack(row[-3])
    bar.revision = row[-1]
    return bar
