"""One file of the archive into bars, and what it proves."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import structlog
from django.db import transaction

from lib.dates import from_seconds, to_ms
from market.archive import coverage
from market.archive import seconds as archive
from market.archive.coverage import Stretch
from market.archive.rollups import reopen_hours
from market.collector.rebuild import close
from market.flow.bands import SETS
from market.hot.codec import GapRecord
from market.models import ArchiveFile, CoveredSpan, Gap, Instrument
from market.vision import saving
from market.vision.bars import BarMaker
from market.vision.files import Wanted
from market.vision.hot import mend
from market.vision.progress import Progress
from market.vision.rows import Head, read_rows, size_of

log = structlog.get_logger(__name__)

ABSENT = "not in the archive"
DAY_MS = 86_400_000
# A file with its CHECKSUM speaks for its whole day when its trades begin and end this close to it.
NEAR_MS = 60_000
DAY_OF_FILE = re.compile(r"-(\d{4}-\d\d(?:-\d\d)?)\.")


def take_quiet(instrument: Instrument, item: Wanted, digest: str) -> None:
    """A whole file without rows: nothing was traded on its day."""
    with transaction.atomic():
        ArchiveFile.objects.update_or_create(
            instrument=instrument,
            name=item.name,
            defaults={"checksum": digest, "rows": 0, "first_id": -1, "last_id": -1},
        )
        cover_quiet_days(instrument)
    log.info("archive file without rows", file=item.name)


def cover_quiet_days(instrument: Instrument) -> None:
    """Days on which nothing was traded are covered as far as what lies before or behind them is;
    between two files whose ids follow one another they are anyway."""
    quiet = ArchiveFile.objects.filter(instrument=instrument, rows=0).order_by("name")
    times = [span for name in quiet.values_list("name", flat=True) if (span := _span_of(name))]
    for opens, closes in times:
        coverage.extend(instrument.pk, opens, closes, NEAR_MS)
    for opens, closes in reversed(times):
        coverage.extend(instrument.pk, opens, closes, NEAR_MS)


def _span_of(name: str) -> tuple[int, int] | None:
    """The epoch ms of a file's day or month, by its name."""
    match = DAY_OF_FILE.search(name)
    if match is None:
        return None
    day = match[1] if len(match[1]) > 7 else f"{match[1]}-01"
    opens = datetime.fromisoformat(day).replace(tzinfo=UTC)
    length = timedelta(days=1 if len(match[1]) > 7 else 31)
    closes = opens + length if len(match[1]) > 7 else (opens + length).replace(day=1)
    return to_ms(opens), to_ms(closes)


class Intake:
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
        # aggregates without a price or quantity
        self.zeros = 0
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
            while (chunk := waiting.result()) is not None:
                bars, rows, size = chunk
                waiting = ahead.submit(next, chunks, None)
                changed = self._save(bars) if bars is not None else 0
                self.progress.bytes_done += size
                self.progress.rows += rows
                yield changed

    def _chunks(
        self, maker: BarMaker, rows: Iterator[tuple[pl.DataFrame, int]]
    ) -> Iterator[tuple[pl.DataFrame | None, int, int]]:
        """(bars, rows, bytes); no database in here, since it runs in a thread of its own."""
        for chunk, size in rows:
            self._look(chunk)
            yield maker.take(chunk), chunk.height, size
        yield maker.finish(), 0, 0

    def close(self, name: str, digest: str, *, is_checked: bool) -> None:
        """What the file proves, and that it is in, in one transaction."""
        mend(self.instrument, self.bands, self.from_ms // 1000, self.to_ms // 1000 + 1)
        with transaction.atomic():
            stretch = self._stretch(is_checked=is_checked)
            self._look_at_absent_again()
            archive.save_gaps(self.instrument.pk, self.holes)
            coverage.add(self.instrument.pk, [stretch])
            cover_quiet_days(self.instrument)
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
            "id",
            "time",
            before.alias("before"),
            pl.col("time").shift(1, fill_value=self.to_ms * ticks_ms).alias("time_before"),
        ).filter((pl.col("before") >= 0) & (pl.col("id") > pl.col("before") + 1))
        for first, at, last, earlier in jumps.iter_rows():
            times = earlier // ticks_ms, at // ticks_ms
            if self.live is None or not self.live[0] <= times[0] <= times[1] <= self.live[1]:
                gap = GapRecord(last + 1, first - 1, *times, ABSENT, Gap.State.UNFILLABLE)
                self.holes.append(gap)
        self.rows += rows.height
        self.zeros += rows.select(((pl.col("price") == 0) | (pl.col("quantity") == 0)).sum()).item()
        self.last_id, self.to_ms = rows["last_id"][-1], rows["time"][-1] // ticks_ms

    def _look_at_absent_again(self) -> None:
        """Ids that an earlier version of the file did not have, and this one may."""
        mine = Gap.objects.filter(
            instrument=self.instrument,
            cause=ABSENT,
            state=Gap.State.UNFILLABLE,
            first_id__gte=self.first_id,
            last_id__lte=self.last_id,
        )
        for gap in mine:
            missing = [
                (max(hole.first_id, gap.first_id), min(hole.last_id, gap.last_id))
                for hole in self.holes
                if hole.first_id <= gap.last_id and gap.first_id <= hole.last_id
            ]
            if missing != [(gap.first_id, gap.last_id)]:
                known = GapRecord(
                    gap.first_id, gap.last_id, gap.from_ms, gap.to_ms, ABSENT, gap.state
                )
                gap.delete()
                archive.save_gaps(self.instrument.pk, close(known, missing))

    def _fill_gaps(self) -> None:
        """Ids that were missed live and lie in what is whole now are missing no more."""
        span = CoveredSpan.objects.get(
            instrument=self.instrument, first_id__lte=self.first_id, last_id__gte=self.last_id
        )
        known = Gap.objects.filter(instrument=self.instrument, last_id__gte=span.first_id)
        still = known.filter(cause=ABSENT).exclude(state=Gap.State.FILLED)
        absent = list(still.values_list("first_id", "last_id"))
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
