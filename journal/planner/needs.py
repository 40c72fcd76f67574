"""Which times of a tape fills and trades need, in epoch seconds, and when those that nobody told
are asked for again. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from market.past.spans import Stretch, merged

MINUTE, HOUR, DAY = 60, 3600, 86_400
# The longest window before a fill, and what is looked at behind an exit.
BEFORE, AFTER_EXIT = 900, HOUR
# A late trade's time may run a little against the ids.
BEHIND = 5
# A life up to here is told by its seconds.
SHORT_LIFE = 900
SOON_AFTER_EXIT = 300
# Everything was tried: why, and when it is tried again.
NOT_TOLD, AGAIN_AFTER = "not_told", timedelta(days=1)


@dataclass(frozen=True)
class Life:
    """Of a trade: when it opened and closed (None: it is open), and when its fills were made."""

    opened: int
    closed: int | None
    fills: Sequence[int]


def minutes_of(lives: Iterable[Life], fills: Iterable[int]) -> list[Stretch]:
    """Whole hours with a fill and its windows, and the hour behind each exit."""
    stretches = [_hours(at - BEFORE - MINUTE, at + MINUTE) for at in fills]
    for life in lives:
        stretches += [_hours(at - BEFORE - MINUTE, at + MINUTE) for at in life.fills]
        if life.closed is not None:
            stretches.append(_hours(life.closed, life.closed + AFTER_EXIT + MINUTE))
    return merged(stretches)


def hours_of(lives: Iterable[Life], fills: Iterable[int]) -> list[Stretch]:
    """The day of each fill up to it, and of a life all hours in between."""
    stretches: list[Stretch] = []
    for at in fills:
        stretches.append((at // DAY * DAY, at // HOUR * HOUR))
    for life in lives:
        stretches += [(at // DAY * DAY, at // HOUR * HOUR) for at in life.fills]
        last = life.closed if life.closed is not None else max(life.fills, default=life.opened)
        stretches.append((life.opened // HOUR * HOUR, -(-last // HOUR) * HOUR))
    return merged(stretches)


def seconds_of(lives: Iterable[Life], fills: Iterable[int]) -> list[Stretch]:
    """The windows before fills; of short lives everything up to some minutes behind the exit."""
    stretches = [(at - BEFORE, at + 1) for at in fills]
    for life in lives:
        if life.closed is not None and is_short(life):
            stretches.append((life.opened, life.closed + SOON_AFTER_EXIT + 1))
    return merged(stretches)


def bands_of(fills: Iterable[int]) -> list[Stretch]:
    """The windows before fills, with the fill's own second."""
    return merged((at - BEFORE, at + BEHIND) for at in fills)


def is_short(life: Life) -> bool:
    return life.closed is not None and life.closed - life.opened < SHORT_LIFE


def by_day(stretches: Iterable[Stretch]) -> dict[int, list[Stretch]]:
    """UTC day (its first second) -> the parts of stretches that lie in it."""
    days: dict[int, list[Stretch]] = {}
    for start, end in merged(stretches):
        while start < end:
            day = start // DAY * DAY
            days.setdefault(day, []).append((start, min(end, day + DAY)))
            start = day + DAY
    return days


def _hours(start: int, end: int) -> Stretch:
    return start // HOUR * HOUR, -(-end // HOUR) * HOUR


def oldest_of(now: datetime, days: int) -> datetime:
    """Bands are asked for as far back as a setting says; 0: of none."""
    return now - timedelta(days=days)
