"""What was so about a trade before its outcome was: the questions that findings may be claimed of.

Nothing here looks at the trade's own end: holding time, exit, maker share of all fills, tags and
mistakes are known only with the outcome in sight.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from journal.metrics.findings import Dimension

HOURS = 4
# a size is large beside the middle of as many trades before
BEFORE = 20
LARGER = 1.25
LARGER_AFTER_LOSS, OTHERWISE = "larger", "otherwise"
# a market has regimes from so many of one's own entries into it on
LEAST_OF_A_MARKET = 21


@dataclass(frozen=True)
class AtEntry:
    """What was known at the first entry: how large taker orders stood to it (with, level, against),
    how far the price had swung in the quarter of an hour before (as a share of its low), and the
    kind of the own order. Empty, None: not known."""

    large: str = ""
    swing: float | None = None
    order: str = ""


NOTHING_KNOWN: Mapping[int, AtEntry] = {}


@dataclass(frozen=True)
class Entry:
    """A closed trade; `opened` in UTC, `hour` and `day` where its trader lives. `size` in money;
    empty `flow` and `setup`: not known."""

    key: str
    account: str
    market: str
    symbol: str
    direction: str
    opened: datetime
    closed: datetime
    hour: int
    day: date
    result: float
    size: float
    flow: str
    setup: str
    at_entry: AtEntry = AtEntry()


@dataclass(frozen=True)
class Before:
    """What had happened when a trade was opened: losses in a row among the trades closed by then,
    its number of the day, and whether it was larger than usual after a loss."""

    losses: int
    of_day: int
    is_larger_after_loss: bool


def dimensions(entries: Sequence[Entry]) -> list[Dimension]:
    """Every question about the entries, in their order."""
    befores = before(entries)
    named: dict[str, Sequence[str | None]] = {
        "account": [entry.account for entry in entries],
        "market": [entry.market for entry in entries],
        "symbol": [entry.symbol for entry in entries],
        "direction": [entry.direction for entry in entries],
        "hours": [hours(entry.hour) for entry in entries],
        "night": ["night" if is_night(entry.hour) else "day" for entry in entries],
        "weekday": [str(entry.day.weekday() + 1) for entry in entries],
        "session": [session(entry.opened.hour) for entry in entries],
        "size": sizes(entries),
        "streak": [f"{min(one.losses, 3)}{'+' if one.losses >= 3 else ''}" for one in befores],
        "of_day": [_of_day(one.of_day) for one in befores],
        "size_after_loss": [
            LARGER_AFTER_LOSS if one.is_larger_after_loss else OTHERWISE for one in befores
        ],
        "flow": [entry.flow or None for entry in entries],
        "large": [entry.at_entry.large or None for entry in entries],
        "swing": swings(entries),
        "order": [entry.at_entry.order or None for entry in entries],
        "setup": [entry.setup or None for entry in entries],
    }
    return [Dimension(name, groups) for name, groups in named.items()]


def hours(hour: int) -> str:
    """`04-08`: four hours, the last one not included."""
    start = hour // HOURS * HOURS
    return f"{start:02d}-{start + HOURS:02d}"


def is_night(hour: int) -> bool:
    """From ten in the evening to six in the morning."""
    return hour >= 22 or hour < 6


def session(hour: int) -> str:
    """By UTC: Asia 0-8, Europe 8-14, America 14-22, the rest between."""
    if hour < 8:
        return "asia"
    if hour < 14:
        return "europe"
    return "america" if hour < 22 else "late"


def sizes(entries: Sequence[Entry]) -> list[str | None]:
    """Thirds of one's own sizes; equal ones are in the same."""
    ordered = sorted(entry.size for entry in entries)
    if not ordered:
        return []
    low, high = ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]
    return [
        "small" if entry.size < low else "middle" if entry.size < high else "large"
        for entry in entries
    ]


def swings(entries: Sequence[Entry]) -> list[str | None]:
    """Calm, middle or wild: thirds of how the same market swung before one's own entries into it,
    so that what swings more by itself is no regime."""
    by_market: dict[tuple[str, str], list[float]] = {}
    for entry in entries:
        if entry.at_entry.swing is not None:
            values = by_market.setdefault((entry.market, entry.symbol), [])
            values.append(entry.at_entry.swing)
    edges = {
        key: (ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3])
        for key, values in by_market.items()
        if len(ordered := sorted(values)) >= LEAST_OF_A_MARKET
    }
    return [
        _swing(entry.at_entry.swing, edges.get((entry.market, entry.symbol))) for entry in entries
    ]


def _swing(swing: float | None, edges: tuple[float, float] | None) -> str | None:
    if swing is None or edges is None:
        return None
    return "calm" if swing < edges[0] else "middle" if swing < edges[1] else "wild"


def before(entries: Sequence[Entry]) -> list[Before]:
    """In the order given, whatever that is."""
    closings = sorted(entries, key=lambda entry: (entry.closed, entry.key))
    openings = sorted(range(len(entries)), key=lambda at: (entries[at].opened, entries[at].key))
    days: Counter[date] = Counter()
    befores: dict[int, Before] = {}
    last_sizes: list[float] = []
    losses, closed = 0, 0
    for at in openings:
        entry = entries[at]
        # not itself, even where it was closed in the millisecond of its opening
        while closed < len(closings) and closings[closed].closed <= entry.opened:
            if closings[closed] is entry:
                break
            losses = losses + 1 if closings[closed].result < 0 else 0
            closed += 1
        days[entry.day] += 1
        usual = statistics.median(last_sizes[-BEFORE:]) if len(last_sizes) >= BEFORE else None
        is_larger = usual is not None and losses > 0 and entry.size > LARGER * usual
        befores[at] = Before(losses, days[entry.day], is_larger)
        last_sizes.append(entry.size)
    return [befores[at] for at in range(len(entries))]


def _of_day(number: int) -> str:
    return "1-2" if number <= 2 else "3-5" if number <= 5 else "6+"
