"""Bars as Parquet files (zstd), one a partition and instrument, and back into PostgreSQL."""

import io
import os
from pathlib import Path
from typing import Any

import polars as pl
import structlog
from django.conf import settings
from django.db import connection, transaction

from lib.dates import from_seconds
from market.archive import partitions
from market.archive.rollups import HOUR, MINUTE, TABLES, reopen_hours
from market.archive.seconds import ALL, COLUMNS, mark_hours
from market.models import Instrument

log = structlog.get_logger(__name__)
_moment = from_seconds

KEY = ["venue", "market", "symbol", "base_asset", "quote_asset"]
TYPES: dict[str, Any] = {
    "grain": pl.String,
    **dict.fromkeys(KEY, pl.String),
    # epoch s
    "time": pl.Int64,
    **{n: pl.Int64 if p is None else pl.Decimal(38, p) for n, p in COLUMNS.items()},
    "trade_bands": pl.String,
    "order_bands": pl.String,
    "band_set": pl.String,
    "revision": pl.Int64,
}
BARS = [name for name in TYPES if name not in {"grain", "time", *KEY}]
TABLE_OF = {"1s": partitions.TABLE, "1m": TABLES[MINUTE], "1h": TABLES[HOUR], "1d": TABLES[86_400]}


class NotBars(ValueError):
    """A file that is not one of ours; the sentence says what was expected."""


def write(grain: str, partition: str) -> str:
    """Write a partition's bars below ARCHIVE_DIR and read them back; returns its digest.

    Raises OSError when the files are not as written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        return _write(grain, partition)


def _write(grain: str, partition: str) -> str:
    before = digest(partition)
    folder: Path = settings.ARCHIVE_DIR / grain / partition
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT instrument_id FROM {partition}")  # noqa: S608
        owners = [pk for (pk,) in cursor.fetchall()]
    for instrument in Instrument.objects.filter(pk__in=owners):
        frame = _read_table(grain, partition, instrument)
        path = folder / f"{instrument.venue}-{instrument.market}-{instrument.symbol}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # a part of it came back and goes again
            frame = _newest_of(pl.concat([pl.read_parquet(path), frame]))
        _write_whole(path, frame)
    return before


def _newest_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Of two versions of a bar the higher (revision, trades)."""
    ordered = frame.sort("time", "revision", "trades")
    return ordered.unique("time", keep="last", maintain_order=True)


def _write_whole(path: Path, frame: pl.DataFrame) -> None:
    """On the disk, read back and compared, before it takes its name."""
    part = path.with_suffix(".part")
    frame.write_parquet(part, compression="zstd")
    if not pl.read_parquet(part).equals(frame):
        raise OSError(f"{part}: expected the bars that were written")
    _to_disk(part)
    part.replace(path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(table: str) -> str:
    """Count and a sum over every row's every value, whatever their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t"  # noqa: S608, E501
        )
        return " ".join(map(str, cursor.fetchone()))


def load(path: Path) -> int:
    """Bring a file's bars back; of two versions of a bar the higher (revision, trades) stays.

    Returns the bars that changed. Raises NotBars.
    """
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise NotBars(f"{path}: expected a Parquet file of bars: {error}") from error
    if dict(frame.schema) != TYPES or not frame.height:
        raise NotBars(f"{path}: expected the columns {', '.join(TYPES)}")
    table = TABLE_OF.get(frame["grain"][0])
    if table is None or frame.select("grain", *KEY).n_unique() != 1:
        raise NotBars(f"{path}: expected the bars of one instrument and grain")
    key = frame.select(KEY).row(0, named=True)
    band_set = frame["band_set"][0]
    instrument, _ = Instrument.objects.get_or_create(
        venue=key["venue"],
        market=key["market"],
        symbol=key["symbol"],
        defaults={
            "base_asset": key["base_asset"],
            "quote_asset": key["quote_asset"],
            "band_set": band_set,
        },
    )
    with transaction.atomic():
        changed = _upsert(instrument.pk, table, frame)
        if table == partitions.TABLE:
            hours = frame.select((pl.col("time") // 3600 * 3600).unique()).to_series().to_list()
            mark_hours(instrument.pk, hours)
            reopen_hours(instrument.pk, min(hours), max(hours) + HOUR)
    log.info("parquet imported", file=path.name, bars=changed)
    return changed


def _read_table(grain: str, partition: str, instrument: Instrument) -> pl.DataFrame:
    text = io.BytesIO()
    columns = ", ".join(BARS)
    with connection.cursor() as cursor:
        query = (
            f"COPY (SELECT extract(epoch FROM time)::bigint, {columns} FROM {partition} "  # noqa: S608
            f"WHERE instrument_id = {int(instrument.pk)} ORDER BY time) TO STDOUT (FORMAT csv)"
        )
        with connection.wrap_database_errors, cursor.copy(query) as copy:
            for block in copy:
                text.write(block)
    text.seek(0)
    types = {name: TYPES[name] for name in ["time", *BARS]}
    frame = pl.read_csv(text, has_header=False, schema=types)
    frame = frame.with_columns(pl.col("trade_bands").fill_null(""))
    mine = {"grain": grain, **{name: getattr(instrument, name) for name in KEY}}
    return frame.with_columns(pl.lit(value).alias(name) for name, value in mine.items()).select(
        list(TYPES)
    )


def _upsert(instrument_id: int, table: str, frame: pl.DataFrame) -> int:
    times = frame["time"]
    _prepare(table, times)
    text = io.BytesIO()
    frame.select("time", *BARS).write_csv(text, include_header=False, quote_style="necessary")
    names = ", ".join(ALL[1:])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS incoming_parquet")
        cursor.execute(f"CREATE TEMP TABLE incoming_parquet (LIKE {table}) ON COMMIT DROP")
        cursor.execute("ALTER TABLE incoming_parquet ALTER instrument_id DROP NOT NULL")
        cursor.execute("ALTER TABLE incoming_parquet ALTER time TYPE bigint USING 0")
        copy_in = (
            f"COPY incoming_parquet (time, {', '.join(BARS)}) FROM STDIN "
            "(FORMAT csv, FORCE_NOT_NULL (trade_bands, order_bands))"
        )
        with connection.wrap_database_errors, cursor.copy(copy_in) as copy:
            copy.write(text.getbuffer())
        cursor.execute(
            f"INSERT INTO {table} (instrument_id, {names}) "  # noqa: S608
            f"SELECT %s, to_timestamp(time), {', '.join(ALL[2:])} FROM incoming_parquet "
            "ON CONFLICT (instrument_id, time) DO UPDATE "
            f"SET ({', '.join(ALL[2:])}) = ({', '.join('excluded.' + n for n in ALL[2:])}) "
            f"WHERE (excluded.revision, excluded.trades) > ({table}.revision, {table}.trades)",
            [instrument_id],
        )
        return int(cursor.rowcount)


def _prepare(table: str, times: pl.Series) -> None:
    if table == partitions.TABLE:
        partitions.prepare(_moment(times[0]), _moment(times[-1]))
        return
    for time in times.unique():
        partitions.prepare_longer(table, _moment(time), by_year=table != TABLES[MINUTE])
