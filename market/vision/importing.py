"""An archive's files into the same bars that were collected live; run twice, it changes nothing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from market.instruments import InstrumentKey
from market.models import ArchiveFile, ArchiveHour, Instrument
from market.services import following
from market.vision import files
from market.vision.bars import RanBack
from market.vision.files import NotThere, Wanted
from market.vision.intake import Intake, take_quiet
from market.vision.kinds import Damaged, Kind, NoRows
from market.vision.progress import Progress
from market.vision.rows import read_head

log = structlog.get_logger(__name__)

# Unicode symbols exist; what a path could misread does not.
NAME = re.compile(r"\w{2,40}")
ALONE_SECONDS = 300


def import_days(
    *, market: str, symbol: str, kind: Kind, first: date, last: date, progress: Progress
) -> None:
    """Download what the days need from BINANCE_VISION_URL and import it. A damaged month is taken
    day by day; a damaged day is named in `progress.damaged`, and the rest goes on.

    Raises Stopped, OSError, and ValueError for what cannot be asked.
    """
    _check(market, symbol, kind)
    is_official = settings.BINANCE_VISION_URL == files.OFFICIAL_URL
    if settings.VENUE != "binance" and is_official:
        raise ValueError(
            f"expected BINANCE=live, was {settings.BINANCE}: Binance's trades do not belong to "
            "another venue's tape (set BINANCE_VISION_URL, or import files with --dir)"
        )
    instrument = following.known(InstrumentKey(settings.VENUE, market, symbol))
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
                    items = _instead(item.by_day(), progress) + items
                else:
                    progress.absent.append(item.name)
                    progress.files_done += 1
            except Damaged as error:
                days = item.by_day() if item.days > 1 else []
                items = _passed_over(error, days, progress) + items


def _instead(days: list[Wanted], progress: Progress) -> list[Wanted]:
    """The days of a month that cannot be taken as a whole."""
    progress.files += len(days) - 1
    return days


def _passed_over(error: Damaged, days: list[Wanted], progress: Progress) -> list[Wanted]:
    """A damaged file is told; what can be taken instead is returned."""
    log.warning("archive file damaged", error=str(error), days=len(days))
    if days:
        progress.by_day.append(str(error))
        return _instead(days, progress)
    progress.damaged.append(str(error))
    progress.files_done += 1
    return []


def _import_day(instrument: Instrument, item: Wanted, folder: Path, progress: Progress) -> None:
    """Download and import one file, of a day or of a month. Raises NotThere, Damaged."""
    url = settings.BINANCE_VISION_URL
    digest = files.expected_digest(url, item)
    if _is_in(instrument, item, item.name, digest):
        _skip(progress, item.name)
        return
    path = files.download(url, item, digest, folder, partial(_told, progress))
    try:
        _import(instrument, item, path, digest, progress, is_checked=True)
    except Damaged:
        path.unlink()  # the exchange may replace it
        raise
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
    """Import the symbol's files that lie in a folder, those of some days only when asked; damaged
    ones as `import_days` does.

    Raises Stopped, and ValueError for what cannot be asked.
    """
    _check(market, symbol, kind)
    there = files.find(folder, market, kind, symbol)
    items = [
        item
        for item in files.without_doubles(there)
        if (last is None or item.day <= last)
        and (first is None or (first - item.day).days < item.days)
    ]
    if not items:
        raise ValueError(f"{folder}: expected files named {symbol}-{kind}-YYYY-MM-DD.zip")
    instrument = following.known(InstrumentKey(settings.VENUE, market, symbol))
    progress.files = len(items)
    with _alone(instrument):
        while items:
            item = items.pop(0)
            try:
                digest, is_checked = files.checked(there[item])
                _import(instrument, item, there[item], digest, progress, is_checked=is_checked)
            except Damaged as error:
                days = [day for day in item.by_day() if day in there] if item.days > 1 else []
                items = _passed_over(error, days, progress) + items


def _check(market: str, symbol: str, kind: Kind) -> None:
    """Raises ValueError with what was expected."""
    if not NAME.fullmatch(symbol):
        raise ValueError(f"expected a symbol like BTCUSDT, was {symbol!r}")
    if market == "usdm" and kind != "aggTrades":
        raise ValueError(
            "expected --kind aggTrades for usdm: its tape is made of aggregates, and the ids of "
            "single trades are another series"
        )


def _is_in(instrument: Instrument, item: Wanted, name: str, digest: str) -> bool:
    """Imported as it is, and none of its bars was dropped since."""
    start = datetime(*item.day.timetuple()[:3], tzinfo=UTC)
    pruned = ArchiveHour.objects.filter(
        instrument=instrument,
        is_pruned=True,
        hour__gte=start,
        hour__lt=start + timedelta(days=item.days),
    )
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
    try:
        head = read_head(path)
    except NoRows as error:
        if not (error.has_header or is_checked):  # it may have been cut
            raise
        take_quiet(instrument, item, digest)
        progress.quiet.append(path.name)
        progress.files_done += 1
        progress.now()
        return
    if head.kind != item.kind:
        raise Damaged(f"{path.name}: expected {item.kind}, the rows are {head.kind}")
    intake = Intake(instrument, item, head, progress)
    try:
        for changed in intake.run(path):
            _keep(instrument)
            progress.bars_changed += changed
            progress.now()
    except RanBack as error:
        raise Damaged(f"{path.name}: expected times that grow, {error}") from error
    intake.close(path.name, digest, is_checked=is_checked)
    if intake.zeros:
        progress.zeros[path.name] = intake.zeros
    progress.files_done += 1
    progress.now()
