"""What of a tape stands in Redis and not yet in PostgreSQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from market.flow.bars import Bar
from market.hot.codec import GapRecord, State


@dataclass
class Unsaved:
    """As of the last confirmed flush."""

    bars: dict[int, Bar] = field(default_factory=dict)
    gaps: dict[int, GapRecord] = field(default_factory=dict)
    state: State | None = None

    def take(self) -> tuple[list[Bar], list[GapRecord], State] | None:
        """Copies of one moment for PostgreSQL; give back what could not be saved."""
        if self.state is None or not (self.bars or self.gaps):
            return None
        bars = [bar.copy() for _, bar in sorted(self.bars.items())]
        gaps = list(self.gaps.values())
        self.bars, self.gaps = {}, {}
        return bars, gaps, self.state

    def give_back(self, bars: Iterable[Bar], gaps: Iterable[GapRecord]) -> None:
        for bar in bars:
            self.bars.setdefault(bar.time, bar)
        for gap in gaps:
            self.gaps.setdefault(gap.first_id, gap)
