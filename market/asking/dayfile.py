"""A day of the exchange's archive, read once: minutes for the whole day, seconds where somebody
needs them. Nothing of it is kept unless all of it could be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import structlog
from django.conf import settings
from django.db import transaction

from lib.dates import to_seconds
from market.asking.aggregates import bars_from
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.models import Instrument
from market.past import agreeing, store
from market.past.spans import Stretch, merged, minus
from market.vision import files
from market.vision.bars import BarMaker, RanBack
from market.vision.files import Wanted
from market.vision.kinds import Damaged, Kind, NoRows
from market.vision.rows import read_head, read_rows

log = structlog.get_logger(__name__)


@dataclass
class Day:
    """What a file tells: seconds in the wanted stretches, all minutes, and those that it lacks."""

    start: int
    detail: Detail
    seconds: list[Bar] = field(default_factory=list)
    minutes: list[Bar] = field(default_factory=list)
    # minutes (epoch s) of which ids or amounts are missing in the file
    lacking: set[int] = field(default_factory=set)


def wanted(instrument: Instrument, day: date, kind: Kind) -> Wanted:
    return Wanted(instrument.market, kind, instrument.symbol, day, 1)


def measure(item: Wanted) -> int:
    """Bytes to load, asked by a HEAD request. Raises NotThere, OSError."""
    return files.size(settings.BINANCE_VISION_URL, item)


def fetch(instrument: Instrument, item: Wanted, stretches: Sequence[Stretch]) -> int:
    """Load, check, read and keep a day; returns how many minutes of it are known now. The file
    goes when it is read. Raises NotThere, Damaged and OSError, and then keeps nothing."""
    digest = files.expected_digest(settings.BINANCE_VISION_URL, item)
    folder = settings.DATA_DIR / "vision" / "days" / instrument.market
    path = files.download(settings.BINANCE_VISION_URL, item, digest, folder, lambda done: None)
    try:
        day = read(instrument, item, path, stretches)
    finally:
        path.unlink(missing_ok=True)
    return keep(instrument, day, stretches)


def read(instrument: Instrument, item: Wanted, path: Path, stretches: Sequence[Stretch]) -> Day:
    """Raises Damaged."""
    start = to_seconds(datetime(*item.day.timetuple()[:3], tzinfo=UTC))
    detail = Detail.FULL if item.kind == "trades" else Detail.ORDER
    day = Day(start, detail)
    try:
        head = read_head(path)
    except NoRows:  # its digest was right: nothing was traded
        return day
    if head.kind != item.kind:
        raise Damaged(f"{path.name}: expected {item.kind}, the rows are {head.kind}")
    bands, is_single = SETS[instrument.band_set], item.kind == "trades"
    seconds = BarMaker(bands, head.ticks, has_single_trades=is_single)
    minutes = BarMaker(bands, head.ticks, has_single_trades=is_single, step=store.MINUTE)
    last_id, last_time = -1, start
    stretches = merged(stretches)
    try:
        for rows, _ in read_rows(path, head, by_aggregate=instrument.key.is_aggregated):
            last_id, last_time = _note_lacking(day, rows, last_id, last_time, head.ticks)
            _take(day, seconds.take(rows), minutes.take(rows), stretches)
        _take(day, seconds.finish(), minutes.finish(), stretches)
    except RanBack as error:
        raise Damaged(f"{path.name}: expected times that grow, {error}") from error
    return day


def keep(instrument: Instrument, day: Day, stretches: Sequence[Stretch]) -> int:
    """In one transaction. Minutes in which the exchange's candle says otherwise stay as it says."""
    end = day.start + store.DAY
    candles = {
        at: agreeing.as_kline(bar)
        for at, bar in store.load(instrument.pk, store.MINUTE, day.start, end).items()
        if bar.detail == Detail.TOTAL
    }
    minutes = {bar.time: bar for bar in day.minutes}
    differing = agreeing.differing(minutes, candles, is_aggregated=instrument.key.is_aggregated)
    # what agrees with its candle is whole, whatever the ids look like (rows that are no flow)
    poor = differing.keys() | (day.lacking - candles.keys())
    good = minus([(day.start, end)], merged((at, at + store.MINUTE) for at in poor))
    inside = [(max(a, first), min(b, last)) for a, b in stretches for first, last in good]
    with transaction.atomic():
        agreeing.record(instrument, differing, "day file")
        place = instrument.pk, instrument.band_set
        own = [bar for bar in day.minutes if bar.time not in poor]
        store.keep(*place, store.MINUTE, day.detail, own, good)
        seconds = [bar for bar in day.seconds if bar.time // 60 * 60 not in poor]
        store.keep(*place, store.SECOND, day.detail, seconds, inside)
    log.info(
        "day file read", tape=str(instrument.key), day=day.start, minutes=len(own), poor=len(poor)
    )
    return store.DAY // store.MINUTE - len(poor)


def _take(
    day: Day,
    seconds: pl.DataFrame | None,
    minutes: pl.DataFrame | None,
    stretches: Sequence[Stretch],
) -> None:
    """Only what somebody needs becomes bars: a day has 86,400 seconds."""
    if seconds is not None and stretches:
        is_wanted = pl.any_horizontal(
            pl.col("second").is_between(start, end, closed="left") for start, end in stretches
        )
        day.seconds += bars_from(seconds.filter(is_wanted))
    if minutes is not None:
        end = day.start + store.DAY
        inside = pl.col("second").is_between(day.start, end, closed="left")
        day.minutes += bars_from(minutes.filter(inside))


def _note_lacking(
    day: Day, rows: pl.DataFrame, last_id: int, last_time: int, ticks: int
) -> tuple[int, int]:
    """Minutes that a hole of ids touches, and those with rows of nothing: their sums are too small.
    Returns the last id and its time (epoch s)."""
    seen = rows.select(
        "id",
        (pl.col("time") // ticks).alias("second"),
        pl.col("last_id").shift(1, fill_value=last_id).alias("before"),
        (pl.col("time") // ticks).shift(1, fill_value=last_time).alias("earlier"),
        ((pl.col("price") == 0) | (pl.col("quantity") == 0)).alias("is_nothing"),
    )
    holes = seen.filter((pl.col("before") >= 0) & (pl.col("id") > pl.col("before") + 1))
    for _, second, _, earlier, _ in holes.iter_rows():
        day.lacking |= set(range(earlier // 60 * 60, second + 1, 60))
    for second in seen.filter("is_nothing")["second"]:
        day.lacking.add(second // 60 * 60)
    return rows["last_id"][-1], rows["time"][-1] // ticks
