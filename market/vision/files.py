"""Which files of the archive a stretch of days needs, and getting them: from a folder, or from
data.binance.vision with their CHECKSUM. Source: github binance/binance-public-data."""

import calendar
import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import structlog

from market.vision.kinds import Damaged, Kind

log = structlog.get_logger(__name__)

FOLDERS = {"spot": "spot", "usdm": "futures/um"}
TIMEOUT_SECONDS = 30
TRIES = 4
OFFICIAL_URL = "https://data.binance.vision"
BLOCK = 1024 * 1024


class NotThere(Exception):
    """The archive does not have this file (yet)."""


@dataclass(frozen=True)
class Wanted:
    """A file by its name; `day` is its first day, `days` how many it holds."""

    market: str
    kind: Kind
    symbol: str
    day: date
    days: int

    @property
    def name(self) -> str:
        when = f"{self.day:%Y-%m}" if self.days > 1 else f"{self.day:%Y-%m-%d}"
        return f"{self.symbol}-{self.kind}-{when}.zip"

    @property
    def path(self) -> str:
        period = "monthly" if self.days > 1 else "daily"
        return f"data/{FOLDERS[self.market]}/{period}/{self.kind}/{self.symbol}/{self.name}"

    def by_day(self) -> list["Wanted"]:
        return [
            Wanted(self.market, self.kind, self.symbol, self.day + timedelta(days=n), 1)
            for n in range(self.days)
        ]


def wanted(market: str, kind: Kind, symbol: str, first: date, last: date) -> list[Wanted]:
    """Whole months that are over as one file, other days one by one, oldest first."""
    files, day = [], first
    while day <= last:
        length = calendar.monthrange(day.year, day.month)[1]
        end = day + timedelta(days=length - 1)
        is_whole = day.day == 1 and end <= last and end < datetime.now(UTC).date()
        files.append(Wanted(market, kind, symbol, day, length if is_whole else 1))
        day += timedelta(days=files[-1].days)
    return files


def find(folder: Path, market: str, kind: Kind, symbol: str) -> dict[Wanted, Path]:
    """The symbol's files in a folder and below, by what their names say, oldest first."""
    name = re.compile(rf"{re.escape(symbol)}-{kind}-(\d{{4}})-(\d\d)(?:-(\d\d))?\.(?:zip|csv)")
    paths: dict[Wanted, Path] = {}
    for path in sorted(folder.rglob(f"{symbol}-{kind}-*")):
        match = name.fullmatch(path.name)
        if match:
            year, month, day = (int(part or 0) for part in match.groups())
            days = 1 if day else calendar.monthrange(year, month)[1]
            paths[Wanted(market, kind, symbol, date(year, month, day or 1), days)] = path
    return {item: paths[item] for item in sorted(paths, key=lambda item: (item.day, -item.days))}


def without_doubles(items: Iterable[Wanted]) -> list[Wanted]:
    """A day that lies in a month's file as well is taken from the month's."""
    kept = list(items)
    months = {(item.day.year, item.day.month) for item in kept if item.days > 1}
    return [item for item in kept if item.days > 1 or (item.day.year, item.day.month) not in months]


def checked(path: Path) -> tuple[str, bool]:
    """(SHA-256, whether a CHECKSUM file beside it agrees). Raises Damaged when it does not."""
    digest = _sha256(path)
    beside = path.with_name(path.name + ".CHECKSUM")
    if not beside.exists():
        return digest, False
    _compare(path.name, digest, beside.read_text("utf-8", "replace"))
    return digest, True


def expected_digest(base_url: str, item: Wanted) -> str:
    """What the file's CHECKSUM says. Raises NotThere, Damaged, OSError."""
    for attempt in range(TRIES):
        try:
            with _asked(f"{base_url}/{quote(item.path)}.CHECKSUM") as answer:
                words: list[str] = answer.read(4096).decode("utf-8", "replace").split()[:1]
            break
        except (OSError, HTTPException) as error:
            _wait_or_give_up(item.name, attempt, error)
    if not words:
        raise Damaged(f"{item.name}: expected a CHECKSUM, it is empty")
    return words[0].lower()


def download(
    base_url: str, item: Wanted, expected: str, folder: Path, tell: Callable[[int], None]
) -> Path:
    """A broken transfer goes on where it stopped. `tell` gets the bytes so far.

    Raises NotThere, Damaged, and OSError when the network does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / item.name
    if path.exists() and _sha256(path) == expected:
        return path
    part = path.with_name(path.name + ".part")
    for attempt in range(TRIES):
        try:
            _fetch_rest(f"{base_url}/{quote(item.path)}", part, tell)
            break
        except (OSError, HTTPException) as error:
            _wait_or_give_up(item.name, attempt, error)
    digest = _sha256(part)
    if digest != expected:
        part.unlink()
        raise Damaged(f"{item.name}: expected SHA-256 {expected}, was {digest}")
    part.replace(path)
    return path


def size(base_url: str, item: Wanted) -> int:
    """Bytes, by a HEAD request. Raises NotThere, OSError."""
    with _asked(f"{base_url}/{quote(item.path)}", method="HEAD") as answer:
        text = answer.headers.get("Content-Length", "")
    if not text.isdigit():
        raise OSError(f"{item.name}: expected its length, was {text[:20]!r}")
    return int(text)


def _wait_or_give_up(name: str, attempt: int, error: Exception) -> None:
    """Raises OSError after the last try."""
    if attempt == TRIES - 1:
        raise OSError(f"{name}: {type(error).__name__} {error}") from error
    log.warning("download broken, going on", file=name, attempt=attempt + 1)
    time.sleep(2**attempt)


def _fetch_rest(url: str, part: Path, tell: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = _asked(url, {"Range": f"bytes={have}-"} if have else {})
    except HTTPError as error:
        if error.code == 416:  # nothing behind what we have
            return
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        left = int(answer.headers.get("Content-Length", 0))
        while block := answer.read(BLOCK):
            file.write(block)
            left -= len(block)
            tell(file.tell())
    if left > 0:
        raise ConnectionError(f"{left} bytes are missing")


def _asked(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> HTTPResponse:
    """The address is a setting, checked to be http or https. Raises NotThere, OSError."""
    request = Request(url, headers=headers or {}, method=method)  # noqa: S310
    try:
        answer: HTTPResponse = urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except HTTPError as error:
        if error.code == 404:
            raise NotThere(url) from error
        raise
    return answer


def _compare(name: str, digest: str, text: str) -> None:
    expected = text.split()[:1]
    if [digest] != [word.lower() for word in expected]:
        raise Damaged(f"{name}: expected SHA-256 {' '.join(expected)} (CHECKSUM), was {digest}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
