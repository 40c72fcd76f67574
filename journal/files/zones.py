"""The time zone that a header or a file's name tells; what tells none is asked for."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

# `(UTC)`, `UTC+9`, `UTC--6` (as Binance names files of zones west of Greenwich), `UTC+05:30`
NAMED = re.compile(
    r"(?:UTC|GMT)\s*(?P<sign>--|[-+−])\s*(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?(?![0-9])",
    re.I,
)
PLAIN = re.compile(r"\((?:UTC|GMT)\)|\bUTC[ _]?(?:time|date)|(?:time|date)[ _]?UTC\b", re.I)
GIVEN = re.compile(r"(?P<sign>[-+−])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?")
QUARTER = timedelta(minutes=15)


def zone_told_by(text: str) -> tzinfo | None:
    """Of a header's cell or a file's name."""
    match = NAMED.search(text)
    if match is not None:
        return _fixed(match)
    return UTC if PLAIN.search(text) else None


def zone_given(text: str) -> tzinfo | None:
    """What a person says: `UTC+9`, `+05:30`, `Asia/Seoul`, `UTC`."""
    text = text.strip()
    if text.upper() in {"UTC", "GMT", "Z"}:
        return UTC
    match = NAMED.fullmatch(text) or GIVEN.fullmatch(text)
    if match is not None:
        return _fixed(match)
    return ZoneInfo(text) if text in available_timezones() else None


def name_of(zone: tzinfo) -> str:
    """`UTC+09:00`, which `zone_given` reads."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    offset = zone.utcoffset(None) or timedelta(0)
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < timedelta(0) else "+"
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}" if minutes else "UTC"


def fixed(offset: timedelta) -> tzinfo | None:
    """A zone of whole quarters of an hour, as all are that people live in."""
    if offset % QUARTER or not timedelta(hours=-12) <= offset <= timedelta(hours=14):
        return None
    return timezone(offset) if offset else UTC


def _fixed(match: re.Match[str]) -> tzinfo | None:
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return fixed(offset if match["sign"] == "+" else -offset)
