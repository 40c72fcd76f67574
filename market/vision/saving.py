"""1 s bars of an archive into PostgreSQL: absolute values; a fuller bar is never overwritten."""

import io
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from django.db import connection, transaction

from lib.dates import from_seconds, to_seconds
from market.archive import partitions
from market.archive.seconds import ALL, COLUMNS, mark_hours
from market.vision.bars import FIGURES

INCOMING = f"""
CREATE TEMP TABLE incoming_archive (
    second bigint, {", ".join(f"{name} numeric" for name in FIGURES)}, trade text, orders text
) ON COMMIT DROP
"""
_UNITS = {None: "", 8: " * 0.00000001", 16: " * 0.0000000000000001"}
_values = ", ".join(f"came.{name}{_UNITS[COLUMNS[name]]}" for name in FIGURES)
_kept = [name for name in ALL[2:] if name not in {"bid", "ask", "revision"}]

# The ids decide: a stored bar gives way only to one that has all of its trades and more, or the
# bands that it lacks; one that came from the archive also to another figure of a corrected file.
# Best prices, which no archive has, stay, and so does the revision.
UPSERT = f"""
WITH changed AS (
INSERT INTO market_second_bar (instrument_id, time, {", ".join(FIGURES)}, bid, ask,
                               trade_bands, order_bands, band_set, revision, from_archive)
SELECT %s, to_timestamp(second), {_values}, 0, 0, trade, orders, %s, 0, true
FROM incoming_archive AS came
ON CONFLICT (instrument_id, time) DO UPDATE
SET ({", ".join(_kept)}, from_archive) = ({", ".join("excluded." + name for name in _kept)}, true)
WHERE excluded.first_id <= market_second_bar.first_id
  AND excluded.last_id >= market_second_bar.last_id
  AND (excluded.trades > market_second_bar.trades
       OR (excluded.trades = market_second_bar.trades AND market_second_bar.trade_bands = ''
           AND excluded.trade_bands <> '')
       OR (market_second_bar.from_archive
           AND (excluded.trade_bands <> '' OR market_second_bar.trade_bands = '')
           AND ({", ".join("excluded." + name for name in _kept)})
               IS DISTINCT FROM ({", ".join("market_second_bar." + name for name in _kept)})))
RETURNING extract(epoch FROM time)::bigint AS second
)
SELECT count(*), array_agg(DISTINCT second / 3600 * 3600) FROM changed
"""  # noqa: S608  (column names are ours)

# What was collected of the same ids has to be the same, to the last digit, and what is stored in
# the end has to hold all ids that came.
DIFFERING = f"""
SELECT have.time FROM incoming_archive AS came
JOIN market_second_bar AS have ON have.time = to_timestamp(came.second)
WHERE have.instrument_id = %s AND have.time BETWEEN %s AND %s AND (
    NOT (have.first_id <= came.first_id AND have.last_id >= came.last_id)
    OR (have.first_id, have.last_id, have.trades) = (came.first_id, came.last_id, came.trades)
    AND ((have.{", have.".join(FIGURES)}) IS DISTINCT FROM ({_values})
         OR have.order_bands <> came.orders
         OR (came.trade <> '' AND have.trade_bands <> came.trade))
)
ORDER BY 1 LIMIT 20
"""  # noqa: S608  (column names are ours)


@dataclass(frozen=True)
class Saved:
    """How many bars were new or got fuller, and the open times (epoch s) of bars that differ from
    what was collected of the same ids (they stay as collected)."""

    changed: int
    differing: list[int]


@transaction.atomic
def save(instrument_id: int, band_set: str, bars: pl.DataFrame) -> Saved:
    partitions.prepare(*_ends(bars))
    with connection.cursor() as cursor:
        # the record of the whole file is committed behind all of it, and waits for the disk
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("DROP TABLE IF EXISTS incoming_archive")
        cursor.execute(INCOMING)
        text = io.BytesIO()
        bars.select("second", *FIGURES, "trade", "order").write_csv(text, include_header=False)
        with (
            connection.wrap_database_errors,
            cursor.copy(
                "COPY incoming_archive FROM STDIN (FORMAT csv, FORCE_NOT_NULL (trade))"
            ) as copy,
        ):
            copy.write(text.getbuffer())
        cursor.execute(UPSERT, [instrument_id, band_set])
        changed, hours = cursor.fetchone()
        differing: list[int] = []
        if changed < bars.height:  # some were there before
            cursor.execute("ANALYZE incoming_archive")
            cursor.execute(DIFFERING, [instrument_id, *_ends(bars)])
            differing = [to_seconds(time) for (time,) in cursor.fetchall()]
    mark_hours(instrument_id, hours or [])
    return Saved(changed, differing)


def _ends(bars: pl.DataFrame) -> tuple[datetime, datetime]:
    first, last = bars.select(first=pl.col("second").min(), last=pl.col("second").max()).row(0)
    return from_seconds(first), from_seconds(last)
