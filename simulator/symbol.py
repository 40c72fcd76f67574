"""One listed symbol: its rules, its tape, where it comes from, and what REST may know of it."""

import random
from collections import deque

from simulator.listing import SPOT, Listing
from simulator.sources.events import Mark, Source
from simulator.sources.generator import Generated
from simulator.tape import SPOT_BATCH_US, USDM_BATCH_US, Tape
from simulator.windows import Statistic, Window

MAKING_US = (300, 4_000)


class Symbol:
    def __init__(self, rules: Listing, tape: Tape, source: Source, seed: int = 1) -> None:
        self.rules = rules
        self.tape = tape
        self.source = source
        # (wall time, last id) of each batch, for REST answers that lag the stream
        self.batches: deque[tuple[int, int]] = deque([(0, tape.last_id)], maxlen=10_000)
        # trades that the streams leave out though REST knows them (a fault)
        self.unsaid = 0
        self.mark_told: Mark | None = None
        self.rng = random.Random(f"{seed}:{rules.symbol}")
        self._windows: dict[int, Window] = {}

    @property
    def head(self) -> str:
        """How its streams' names begin."""
        return f"{self.rules.symbol.lower()}@"

    def time(self, now_us: int) -> int:
        return self.source.time(now_us)

    def delay(self) -> int:
        """Each frame has an event time of its own, a little behind its trade."""
        return self.rng.randint(*MAKING_US)

    def mark(self, now_us: int) -> Mark | None:
        """Recorded, or made up by a generated market."""
        if isinstance(self.source, Generated):
            return self.source.mark(now_us)
        return self.mark_told

    def visible_id(self, now_us: int, lag_us: int) -> int:
        """The newest id that REST knows when it is `lag_us` behind the stream."""
        for at_us, last_id in reversed(self.batches):
            if at_us <= now_us - lag_us:
                return last_id
        return self.batches[0][1] - 1 if self.batches else self.tape.last_id

    def statistic(self, length_us: int, now_us: int) -> Statistic | None:
        window = self._windows.get(length_us)
        if window is None:
            window = self._windows[length_us] = Window(self.tape, length_us)
        return window.roll(self.time(now_us))

    def window(self, length_us: int, now_us: int) -> Statistic | None:
        """A window that is asked for once and not kept."""
        return Window(self.tape, length_us).roll(self.time(now_us))

    def wipe(self, first_id: int) -> None:
        """Ids begin anew, as on a testnet after its reset."""
        self.tape.wipe(first_id)
        self.batches.clear()
        self.batches.append((0, first_id - 1))
        self._windows.clear()


def batch_us(market: str) -> int:
    """How long trades at one price and side make one aggregate."""
    return SPOT_BATCH_US if market == SPOT else USDM_BATCH_US
