"""An archive's files into the same bars that were collected live; run twice, it changes nothing."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lib.dates import from_seconds, to_ms
from market.archive import coverage
from market.archive import seconds as archive
from market.archive.coverage import Stretch
from market.archive.rollups import reopen_hours
from market.flow.bands import SETS, bands_for
from market.hot.codec import GapRecord
from market.instruments import InstrumentKey, split_symbol
from market.models import ArchiveFile, ArchiveHour, CoveredSpan, Gap, Instrument
from market.vision import files, saving
from market.vision.bars import BarMaker, RanBack
from market.vision.files import NotThere, Wanted
from market.vision.hot import mend
from market.vision.rows import Damaged, Head, Kind, read_head, read_rows, size_of

log = structlog.get_logger(__name__)

ABSENT = "not in the archive"
DAY_MS = 86_400_000
# A file with its CHECKSUM speaks for its whole day when its trades begin and end this close to it.
NEAR_MS = 60_000
# Unicode symbols exist; what a path could misread does not.
NAME = re.compile(r"\w{2,40}")
ALONE_SECONDS = 300


class Stopped(Exception):
    """Somebody asked to stop; what is in is in, and the same call goes on."""


@dataclass
class Progress:
    """How far an import is; `tell` hears of every change and may raise Stopped."""

    tell: Callable[["Progress"], None]
    files: int = 0
    files_done: int = 0
    name: str = ""
    # of the file at work
    bytes_done: int = 0
    bytes_total: int = 0
    # of all files
    rows: int = 0
    bars_changed: int = 0
    skipped: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    differing: list[datetime] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def rows_per_second(self) -> int:
        return int(self.rows / max(self.seconds, 0.001))

    @property
    def part(self) -> float:
        """Done of all, 0 to 1; files count alike."""
        of_file = min(self.bytes_done / self.bytes_total, 1) if self.bytes_total else 0
        return min((self.files_done + of_file) / max(self.files, 1), 1)

    @property
    def seconds_left(self) -> float | None:
        return self.seconds * (1 / self.part - 1) if self.part > 0.001 else None

    def now(self) -> None:
        self.tell(self)


def import_days(
    *, market: str, symbol: str, kind: Kind, first: date, last: date, progress: Progress
) -> None:
    """Download what the days need from BINANCE_VISION_URL and import it.

    Raises Damaged, Stopped, OSError, and ValueError for what cannot be asked.
    """
    _check(market, symbol, kind)
    is_official = settings.BINANCE_VISION_URL == files.OFFICIAL_URL
    if settings.VENUE != "binance" and is_official:
        raise ValueError(
            f"expected BINANCE=live, was {settings.BINANCE}: Binance's trades do not belong to "
            "another venue's tape (set BINANCE_VISION_URL, or import files with --dir)"
        )
    instrument = _instrument(market, symbol)
    folder = settings.DATA_DIR / "vision"
    items = files.wanted(market, kind, symbol, first, last)
    progress.files = len(items)
    with _alone(instrument):
        while items:
            item = items.pop(0)
            progress.name = item.name
            try:
                _import_day(instrument, item, folder, progress)
            except NotThere:
                if item.days > 1:  # the month is not put together yet
                    items = item.by_day() + items
                    progress.files += item.days - 1
                else:
                    progress.absent.append(item.name)
                    progress.files_done += 1


def _import_day(instrument: Instrument, item: Wanted, folder: Path, progress: Progress) -> None:
    """Download and import one file, of a day or of a month. Raises NotThere."""
    url = settings.BINANCE_VISION_URL
    digest = files.expected_digest(url, item)
    if _is_in(instrument, item, item.name, digest):
        _skip(progress, item.name)
        return
    path = files.download(url, item, digest, folder, partial(_told, progress))
    _import(instrument, item, path, digest, progress, is_checked=True)
    path.unlink()


def _told(progress: Progress, done: int) -> None:
    progress.bytes_done = progress.bytes_total = done
    progress.now()


def import_folder(
    *,
    market: str,
    symbol: str,
    kind: Kind,
    folder: Path,
    first: date | None,
    last: date | None,
    progress: Progress,
) -> None:
    """Import the symbol's files that lie in a folder, those of some days only when asked.

    Raises Damaged, Stopped, and ValueError for what cannot be asked.
    """
    _check(market, symbol, kind)
    found = {
        item: path
        for item, path in files.find(folder, market, kind, symbol).items()
        if (last is None or item.day <= last)
        and (first is None or (first - item.day).days < item.days)
    }
    if not found:
        raise ValueError(f"{folder}: expected files named {symbol}-{kind}-YYYY-MM-DD.zip")
    instrument = _instrument(market, symbol)
    progress.files = len(found)
    with _alone(instrument):
        for item, path in found.items():
            digest, is_checked = files.checked(path)
            _import(instrument, item, path, digest, progress, is_checked=is_checked)


def _check(market: str, symbol: str, kind: Kind) -> None:
    """Raises ValueError with what was expected."""
    if not NAME.fullmatch(symbol):
        raise ValueError(f"expected a symbol like BTCUSDT, was {symbol!r}")
    if market == "usdm" and kind != "aggTrades":
        raise ValueError(
            "expected --kind aggTrades for usdm: its tape is made of aggregates, and the ids of "
            "single trades are another series"
        )


def _instrument(market: str, symbol: str) -> Instrument:
    key = InstrumentKey(settings.VENUE, market, symbol)
    base, quote = split_symbol(symbol)
    instrument, _ = Instrument.objects.get_or_create(
        venue=key.venue, market=market, symbol=symbol,
        defaults={"base_asset": base, "quote_asset": quote, "band_set": bands_for(quote).id},
    )  # fmt: skip
    return instrument


def _is_in(instrument: Instrument, item: Wanted, name: str, digest: str) -> bool:
    """Imported as it is, and none of its bars was dropped since."""
    start = datetime(*item.day.timetuple()[:3], tzinfo=UTC)
    pruned = ArchiveHour.objects.filter(
        instrument=instrument, is_pruned=True, hour__gte=start,
        hour__lt=start + timedelta(days=item.days),
    )  # fmt: skip
    known = ArchiveFile.objects.filter(instrument=instrument, name=name, checksum=digest)
    return known.exists() and not pruned.exists()


@contextmanager
def _alone(instrument: Instrument) -> Iterator[None]:
    """One import of an instrument at a time, and no retention meanwhile; a killed one is forgotten
    after ALONE_SECONDS. Raises ValueError when another is at work."""
    free = Q(importing_until=None) | Q(importing_until__lt=timezone.now())
    if not Instrument.objects.filter(free, pk=instrument.pk).update(importing_until=_soon()):
        raise ValueError(f"{instrument.symbol} is being imported already: wait, or stop that one")
    try:
        yield
    finally:
        Instrument.objects.filter(pk=instrument.pk).update(importing_until=None)


def _keep(instrument: Instrument) -> None:
    Instrument.objects.filter(pk=instrument.pk).update(importing_until=_soon())


def _soon() -> datetime:
    return timezone.now() + timedelta(seconds=ALONE_SECONDS)


def _skip(progress: Progress, name: str) -> None:
    progress.skipped.append(name)
    progress.files_done += 1
    progress.now()


def _import(
    instrument: Instrument,
    item: Wanted,
    path: Path,
    digest: str,
    progress: Progress,
    *,
    is_checked: bool,
) -> None:
    progress.name, progress.bytes_done, progress.bytes_total = path.name, 0, 0
    if _is_in(instrument, item, path.name, digest):
        _skip(progress, path.name)
        return
    head = read_head(path)
    if head.kind != item.kind:
        raise Damaged(f"{path.name}: expected {item.kind}, the rows are {head.kind}")
    done = _File(instrument, item, head, progress)
    try:
        for changed in done.run(path):
            progress.bars_changed += changed
            progress.now()
    except RanBack as error:
        raise Damaged(f"{path.name}: expected times that grow, {error}") from error
    done.close(path.name, digest, is_checked=is_checked)
    progress.files_done += 1
    progress.now()


class _File:
    """One file at work: its bars as they get ready, then what it proves."""

    def __init__(
        self, instrument: Instrument, item: Wanted, head: Head, progress: Progress
    ) -> None:
        self.instrument = instrument
        self.item = item
        self.head = head
        self.progress = progress
        self.bands = SETS[instrument.band_set]
        self.rows = 0
        self.first_id = self.last_id = -1
        self.from_ms = self.to_ms = 0
        self.holes: list[GapRecord] = []
        state = archive.load_state(instrument.pk)
        self.live = (state.covered_from, state.covered_to) if state else None

    def run(self, path: Path) -> Iterator[int]:
        """Bars changed, chunk by chunk."""
        # on futures the aggregate's own id is the tape's
        is_usdm = self.item.market == "usdm"
        has_singles = self.head.kind == "trades"
        maker = BarMaker(self.bands, self.head.ticks, has_single_trades=has_singles)
        self.progress.bytes_total = size_of(path)
        chunks = self._chunks(maker, read_rows(path, self.head, by_aggregate=is_usdm))
        with ThreadPoolExecutor(1) as ahead:  # the next chunk is computed while one is saved
            waiting = ahead.submit(next, chunks, None)
            while (found := waiting.result()) is not None:
                bars, rows, size = found
                waiting = ahead.submit(next, chunks, None)
                changed = self._save(bars) if bars is not None else 0
                self.progress.bytes_done += size
                self.progress.rows += rows
                yield changed

    def _chunks(
        self, maker: BarMaker, rows: Iterator[tuple[pl.DataFrame, int]]
    ) -> Iterator[tuple[pl.DataFrame | None, int, int]]:
        """(bars, rows, bytes); no database in here, since it runs in a thread of its own."""
        for found, size in rows:
            self._look(found)
            yield maker.take(found), found.height, size
        yield maker.finish(), 0, 0

    def close(self, name: str, digest: str, *, is_checked: bool) -> None:
        """What the file proves, and that it is in, in one transaction."""
        mend(self.instrument, self.bands, self.from_ms // 1000, self.to_ms // 1000 + 1)
        with transaction.atomic():
            stretch = self._stretch(is_checked=is_checked)
            archive.save_gaps(self.instrument.pk, self.holes)
            coverage.add(self.instrument.pk, [stretch])
            self._fill_gaps()
            reopen_hours(self.instrument.pk, self.from_ms // 1000, self.to_ms // 1000 + 1)
            ArchiveFile.objects.update_or_create(
                instrument=self.instrument,
                name=name,
                defaults={
                    "checksum": digest,
                    "rows": self.rows,
                    "first_id": self.first_id,
                    "last_id": self.last_id,
                },
            )
        log.info("archive file imported", file=name, rows=self.rows)

    def _save(self, bars: pl.DataFrame) -> int:
        _keep(self.instrument)
        saved = saving.save(self.instrument.pk, self.instrument.band_set, bars)
        for second in saved.differing:
            log.error("bar differs from the archive", tape=str(self.instrument.key), second=second)
        self.progress.differing += [from_seconds(second) for second in saved.differing]
        return saved.changed

    def _look(self, rows: pl.DataFrame) -> None:
        """Count, and note ids that the archive does not have."""
        ticks_ms = self.head.ticks // 1000
        if self.rows == 0:
            self.first_id, self.from_ms = rows["id"][0], rows["time"][0] // ticks_ms
        before = pl.col("last_id").shift(1, fill_value=self.last_id if self.rows else -1)
        jumps = rows.select(
            "id", "time", before.alias("before"),
            pl.col("time").shift(1, fill_value=self.to_ms * ticks_ms).alias("time_before"),
        ).filter((pl.col("before") >= 0) & (pl.col("id") > pl.col("before") + 1))  # fmt: skip
        for first, at, last, earlier in jumps.iter_rows():
            times = earlier // ticks_ms, at // ticks_ms
            if self.live is None or not self.live[0] <= times[0] <= times[1] <= self.live[1]:
                gap = GapRecord(last + 1, first - 1, *times, ABSENT, Gap.State.UNFILLABLE)
                self.holes.append(gap)
        self.rows += rows.height
        self.last_id, self.to_ms = rows["last_id"][-1], rows["time"][-1] // ticks_ms

    def _fill_gaps(self) -> None:
        """Ids that were missed live and lie in what is whole now are missing no more."""
        span = CoveredSpan.objects.get(
            instrument=self.instrument, first_id__lte=self.first_id, last_id__gte=self.last_id
        )
        known = Gap.objects.filter(instrument=self.instrument, last_id__gte=span.first_id)
        absent = list(known.filter(cause=ABSENT).values_list("first_id", "last_id"))
        missed = known.filter(first_id__gte=span.first_id, last_id__lte=span.last_id)
        for gap in missed.exclude(state=Gap.State.FILLED).exclude(cause=ABSENT):
            if not any(a <= gap.last_id and gap.first_id <= b for a, b in absent):
                gap.state = Gap.State.FILLED
                gap.save(update_fields=["state", "updated_at"])

    def _stretch(self, *, is_checked: bool) -> Stretch:
        start, end = self.from_ms, self.to_ms + 1
        if is_checked:
            opens = to_ms(datetime(*self.item.day.timetuple()[:3], tzinfo=UTC))
            closes = opens + self.item.days * DAY_MS
            start = opens if 0 <= start - opens <= NEAR_MS else start
            end = closes if 0 <= closes - end <= NEAR_MS else end
            self._note_absent_between(start, end)
        if self.live is not None:  # no id lies between the file and the collector's first one
            first_live = archive.first_id(self.instrument.pk, self.live[0] // 1000)
            if first_live is not None and self.first_id < first_live <= self.last_id + 1:
                end = max(end, self.live[0])
        return Stretch(self.first_id, self.last_id, start, end)

    def _note_absent_between(self, start: int, end: int) -> None:
        """Two files meet at midnight, and neither has the ids between them."""
        spans = CoveredSpan.objects.filter(instrument=self.instrument)
        before = spans.filter(last_id__lt=self.first_id - 1, to_ms__gte=start, to_ms__lte=end)
        after = spans.filter(first_id__gt=self.last_id + 1, from_ms__lte=end, from_ms__gte=start)
        pairs = [(span.last_id, self.first_id, span.to_ms, self.from_ms) for span in before]
        pairs += [(self.last_id, span.first_id, self.to_ms, span.from_ms) for span in after]
        for last, first, from_ms, to_ms_ in pairs:
            times = min(from_ms, to_ms_), max(from_ms, to_ms_)
            self.holes.append(GapRecord(last + 1, first - 1, *times, ABSENT, Gap.State.UNFILLABLE))
