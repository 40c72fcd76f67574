"""Bars of one tape between two moments, and what is known of their completeness."""

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from lib.dates import ceil_to
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.hot.codec import GapRecord
from market.past.spans import Stretch, merged, minus


@dataclass
class Span:
    """Bars with start <= t < end.

    `source` says where they came from: hot (Redis), archive (PostgreSQL) or both.
    """

    bars: list[Bar]
    seconds: int
    source: str
    # what the tape covers in it, in epoch ms, oldest first, none touching another
    covered: list[tuple[int, int]]
    gaps: list[GapRecord]
    start_ms: int
    end_ms: int
    # how far the tape reaches anywhere, epoch ms; 0: there is none
    covered_to: int = 0
    # open times of bars that are whole, though the tape is not
    past: set[int] = field(default_factory=set)

    def is_closed(self, bar: Bar) -> bool:
        """The exchange's time has passed the bar's end."""
        return bar.time in self.past or self.covered_to >= (bar.time + self.seconds) * 1000

    def is_complete(self, bar: Bar) -> bool:
        """Its whole time was covered and no gap is open in it, or the exchange told all of it."""
        return bar.time in self.past or self.is_whole_in_tape(bar.time)

    def is_whole_in_tape(self, at: int) -> bool:
        start, end = at * 1000, (at + self.seconds) * 1000
        return self.covers(start, end) and not self.has_open_gap(start, end)

    @property
    def is_whole(self) -> bool:
        """The same of the whole span; only the bar that runs now is not over yet."""
        length = self.seconds * 1000
        running = int(time.time() * 1000) // length * length
        end = max(self.start_ms, min(self.end_ms, running))
        known = merged([*self.covered, *self._past_ms])
        return (
            not minus([(self.start_ms, end)], known)
            and not self._has_gap_outside_past
            and all(self.is_complete(bar) for bar in self.bars if bar.time * 1000 < running)
        )

    @property
    def has_only_aggregates(self) -> bool:
        """Everything that was traded is known by aggregates, which hide the single trades."""
        traded = [bar.detail for bar in self.bars if bar.trades]
        return bool(traded) and all(detail == Detail.ORDER for detail in traded)

    def missing(self, edge: int) -> list[Stretch]:
        """Stretches (epoch s) up to an edge of which no complete bar is known."""
        whole = {bar.time for bar in self.bars if self.is_complete(bar)} | self.past
        known = merged((at, at + self.seconds) for at in whole)
        length = self.seconds
        first, last = -(-self.start_ms // 1000), min(-(-self.end_ms // 1000), edge)
        slots = range(ceil_to(first, length), last - length + 1, length)
        if not slots:
            return []
        return minus([(slots[0], slots[-1] + length)], known)

    def covers(self, start_ms: int, end_ms: int) -> bool:
        at = bisect_right(self.covered, (start_ms, 2**62)) - 1
        return at >= 0 and end_ms <= self.covered[at][1]

    def has_open_gap(self, start_ms: int, end_ms: int) -> bool:
        return any(gap.to_ms >= start_ms and gap.from_ms < end_ms for gap in self._open_gaps)

    @cached_property
    def _open_gaps(self) -> list[GapRecord]:
        return [gap for gap in self.gaps if gap.state == "open"]

    @property
    def _past_ms(self) -> list[Stretch]:
        return merged((at * 1000, (at + self.seconds) * 1000) for at in self.past)

    @property
    def _has_gap_outside_past(self) -> bool:
        inside = [
            (max(gap.from_ms, self.start_ms), min(gap.to_ms + 1, self.end_ms))
            for gap in self._open_gaps
            if gap.to_ms >= self.start_ms and gap.from_ms < self.end_ms
        ]
        return bool(minus(inside, self._past_ms))
