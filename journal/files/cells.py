"""What one cell says: numbers, numbers with their coin, moments, words."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache

from journal.faults import Bad

# Binance's first day
OPENED = datetime(2017, 7, 14)  # noqa: DTZ001  (a wall clock's, of whatever zone the file has)
# A zone may be half a day away from ours.
ZONES_APART = timedelta(hours=14)
NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,6})?")
GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}([, ])[0-9]{3}(?:\1[0-9]{3})*(?:\.[0-9]*)?")
COIN = re.compile(r"[^\s.,+\-]{1,20}")
BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "'": None})
UNSEEN = str.maketrans(
    dict.fromkeys("\u00a0\u202f\u2009\u3000", " ") | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff")
)
EMPTY = {"", "-", "--", "—", "n/a", "null", "none"}
LONGEST_NUMBER = 80
# Nothing that is traded has numbers above this, or a first digit below it.
MOST_DIGITS = 30
MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%y-%m-%d %H:%M",
)
USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
REWRITTEN = re.compile(
    r"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}.*|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}.*|"
    r"[0-9]{5}[.,]?[0-9]*|[0-9:]{4,8}([.][0-9])?"
)
EPOCH_MS = re.compile(r"1[0-9]{12}")


def shown(text: str) -> str:
    """Without what nobody sees: odd blanks, marks of direction and order of bytes."""
    return text.translate(UNSEEN).strip()


def is_empty(text: str) -> bool:
    return text.strip().lower() in EMPTY


@lru_cache(maxsize=20_000)  # sizes and fees repeat: less time, and one object instead of many
def number(text: str) -> Decimal:
    """Raises Bad. A comma or a blank may only part groups of three digits."""
    text = text.translate(BLANKS).strip()
    if len(text) > LONGEST_NUMBER:
        raise Bad("number", was=text)
    if not NUMBER.fullmatch(text):
        if GROUPED.fullmatch(text):
            text = text.replace(",", "").replace(" ", "")
        else:
            raise Bad("comma" if "," in text else "number", was=text)
    value = Decimal(text)
    if value and value.adjusted() > MOST_DIGITS:
        raise Bad("number_large", was=text)
    return value


def splits(text: str) -> Iterator[tuple[str, str]]:
    """Every way to take `101INCH` apart into a number and a coin, the longest number first; a
    blank between them leaves one way."""
    text = text.translate(BLANKS).strip()
    if len(text) > LONGEST_NUMBER:
        raise Bad("number_coin", was=text)
    head, blank, tail = text.partition(" ")
    if blank:
        if COIN.fullmatch(tail.strip()):
            yield head, tail.strip().upper()
        return
    for cut in range(len(text) - 1, 0, -1):
        head, coin = text[:cut], text[cut:]
        if COIN.fullmatch(coin) and (head[-1].isdigit() or head[-1] == "."):
            yield head, coin.upper()


def in_coin(text: str, coin: str) -> Decimal | None:
    """The number before a coin that is known; None where the cell is in another one."""
    text = text.translate(BLANKS).strip()
    if not text.upper().endswith(coin) or len(text) > LONGEST_NUMBER:
        return None
    try:
        return number(text[: -len(coin)].rstrip())
    except Bad as error:
        if error.fault.code == "comma":
            raise
    return None


def with_any_coin(text: str) -> tuple[Decimal, str]:
    """By the longest number; a number alone has no coin. Raises Bad."""
    if NUMBER.fullmatch(text.translate(BLANKS).strip()):
        return number(text), ""
    for head, coin in splits(text):
        if NUMBER.fullmatch(head) or "," in head:
            return number(head), coin
    return number(text), ""


def moment(text: str, now: datetime) -> tuple[datetime, tzinfo | None]:
    """(what the clock said, its zone where the cell tells it). `now` is UTC. Raises Bad."""
    text = text.strip()
    zone: tzinfo | None = None
    if EPOCH_MS.fullmatch(text):
        wall, zone = datetime.fromtimestamp(int(text) / 1000, UTC).replace(tzinfo=None), UTC
    else:
        wall, zone = _written(text)
    if wall < OPENED - ZONES_APART:
        raise Bad("time_early", was=text)
    if wall > now.replace(tzinfo=None) + ZONES_APART:
        raise Bad("time_late", was=text)
    return wall, zone


def _written(text: str) -> tuple[datetime, tzinfo | None]:
    if USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text), None
        except ValueError as error:
            raise Bad("time", was=text) from error
    for known in MOMENTS:
        try:
            return datetime.strptime(text, known), None  # noqa: DTZ007  (its zone comes apart)
        except ValueError:
            continue
    try:
        written = datetime.fromisoformat(text) if "T" in text or "+" in text else None
    except ValueError:
        written = None
    if written is not None and written.tzinfo is not None and 1 < written.year < 9999:
        return written.astimezone(UTC).replace(tzinfo=None), UTC
    raise Bad("time_rewritten" if REWRITTEN.fullmatch(text) else "time", was=text)
