"""Which bar stands where the tape is not whole: the rule of (complete, detail, revision, trades).

A longer bar is the roll-up of the tape where that is whole over all of it, else what the past's
store has of exactly that time, else the roll-up of the best of its parts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lib.dates import WEEK, floor_to
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch, is_within, merged
from market.past.store import DAY, GRAINS, HOUR, MINUTE, SECOND

# A bar is put together from these where it is known in parts.
PARTS = {WEEK: DAY, DAY: HOUR, 4 * HOUR: HOUR, HOUR: MINUTE, 900: MINUTE, 300: MINUTE, 180: MINUTE}
# Only bars at the edges of what is known are: so many at most.
MOST_IN_PARTS = 12


@dataclass(frozen=True)
class TapeBars:
    """What the tape has of a grain: whole bars by open time (without trades too), and the others
    as far as they go."""

    whole: Mapping[int, Bar]
    partial: Mapping[int, Bar]


@dataclass
class Resolved:
    """Bars by open time; those in `whole` are complete, a running one is not."""

    bars: dict[int, Bar] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)


# (grain, start, end) in epoch s
ReadTape = Callable[[int, int, int], TapeBars]


class Resolver:
    """`covered` is what the tape covers, in epoch s; `now` the exchange's time."""

    def __init__(
        self, instrument: Instrument, covered: Sequence[Stretch], read_tape: ReadTape, now: int
    ) -> None:
        self._instrument = instrument
        self._covered = covered
        self._read_tape = read_tape
        self._now = now
        self._parts_left = MOST_IN_PARTS

    def resolve(self, length: int, slots: Sequence[int]) -> Resolved:
        """Bars of `length` seconds that open at these times (ascending), which the tape does not
        have whole."""
        resolved = Resolved()
        touched = self._from_store(
            length, [at for at in slots if at + length <= self._now], resolved
        )
        for at in slots:
            if at in resolved.bars or self._parts_left <= 0:
                continue
            if self._overlaps(at, at + length, [*self._covered, *touched]):
                self._parts_left -= 1
                bar = self._in_parts(length, at)
                if bar is not None:
                    resolved.bars[at] = bar
                    if at + length <= self._now:
                        resolved.whole.add(at)
        return resolved

    def _from_store(self, length: int, slots: Sequence[int], resolved: Resolved) -> list[Stretch]:
        """Longest grains first; returns what is known in parts only."""
        touched: list[Stretch] = []
        for grain in reversed(GRAINS):
            left = [at for at in slots if at not in resolved.bars]
            is_fine = grain == SECOND and length >= MINUTE  # whole minutes are kept with them
            if not left or length % grain or is_fine:
                continue
            start, end = left[0], left[-1] + length
            spans = store.spans(self._instrument.pk, grain, start, end)
            known = merged((a, b) for a, b, _ in spans)
            mine = [at for at in left if is_within(at, at + length, known)]
            touched += known
            if not mine:
                continue
            bars = store.load(
                self._instrument.pk, grain, mine[0], mine[-1] + length, self._instrument.band_set
            )
            chosen = set(mine)
            parts = [bars[at] for at in sorted(bars) if floor_to(at, length) in chosen]
            rolled = {bar.time: bar for bar in _rolled(parts, grain, length)}
            for at in mine:
                resolved.bars[at] = rolled.get(at) or _quiet(at, length, spans)
                resolved.whole.add(at)
        return touched

    def _in_parts(self, length: int, at: int) -> Bar | None:
        """None where a part that is over is not known."""
        size = PARTS.get(length)
        end = min(at + length, self._now)
        if size is None or at >= end:
            return None
        tape = self._read_tape(size, at, end)
        slots = range(at, end, size)
        unknown = [slot for slot in slots if slot not in tape.whole]
        others = self.resolve(size, unknown)
        parts = []
        for slot in slots:
            bar = tape.whole.get(slot) or others.bars.get(slot)
            if bar is None and slot + size > self._now:
                bar = tape.partial.get(slot)  # the one that runs
                if bar is None:
                    continue
            if bar is None:
                return None
            parts.append(bar)
        return roll_up(parts, length)[0] if parts else None

    def _overlaps(self, start: int, end: int, known: Sequence[Stretch]) -> bool:
        return any(a < end and start < b for a, b in known)


def _rolled(parts: list[Bar], grain: int, length: int) -> list[Bar]:
    return parts if grain == length else roll_up(parts, length)


def _quiet(at: int, length: int, spans: Sequence[tuple[int, int, Detail]]) -> Bar:
    """Nothing was traded: without prices, which are those of the close before it."""
    bar = Bar(at)
    bar.detail = max(
        (detail for start, end, detail in spans if start < at + length and at < end),
        default=Detail.TOTAL,
    )
    return bar
