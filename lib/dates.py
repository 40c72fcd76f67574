"""Time: UTC-aware datetimes at the edges, epoch milliseconds and seconds inside."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Name of a bar interval -> its length in seconds.
INTERVALS = {
    "1s": 1,
    "5s": 5,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "1h": 3600,
    "4h": 14400,
    "1d": 86400,
    "1w": 604_800,
}
WEEK = 604_800
# The epoch was a Thursday; Binance's weeks begin on Monday.
MONDAY = 4 * 86_400


def floor_to(at: int, length: int) -> int:
    """The open time (epoch s) of the bar of `length` seconds that holds a moment."""
    return at - (at - (MONDAY if length == WEEK else 0)) % length


def ceil_to(at: int, length: int) -> int:
    """The first open time at or after a moment (epoch s)."""
    floor = floor_to(at, length)
    return floor if floor == at else floor + length


def from_ms(ms: int) -> datetime:
    """Epoch milliseconds -> aware UTC datetime, without going through a float."""
    return EPOCH + timedelta(milliseconds=ms)


def from_seconds(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def to_ms(moment: datetime) -> int:
    """Aware datetime -> epoch milliseconds, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def to_seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def parse_moment(text: str) -> int:
    """ISO 8601 or epoch milliseconds -> epoch milliseconds.

    Raises ValueError with a sentence that says what was expected.
    """
    if re.fullmatch(r"\d{1,15}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"expected ISO 8601 (2026-11-21T10:00:00Z) or epoch milliseconds, was {text!r}"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return to_ms(moment)
