"""How many states of a topic a process hands on: as many as come while it keeps up, at most four a
second of each topic when it does not. What is held back is replaced by what is newer and then
sent, so the newest state of every bar still arrives.
"""

import asyncio
import time
from collections.abc import Callable

from market.hot import tally

# The process's own lag is how much later than wanted a sleeper wakes.
SAMPLE_SECONDS = 0.02
# It is forgotten by half in about half a second.
KEPT_OF_LAG = 0.97
# Up to so much lag nothing is held back; from the second on the pace is the slowest.
FINE_SECONDS, MOST_SECONDS = 0.02, 0.1
FASTEST_GAP, SLOWEST_GAP = 1 / 20, 1 / 4

HELD = tally.Count("tapelog_live_states_held", "States held back because the process is busy")

Slot = str
Deliver = Callable[[str, Slot, str], None]
Later = Callable[[float, Callable[[], None]], object]


def gap_of(lag: float) -> float:
    """Seconds between two states of a topic."""
    if lag <= FINE_SECONDS:
        return 0.0
    part = min(1.0, (lag - FINE_SECONDS) / (MOST_SECONDS - FINE_SECONDS))
    return FASTEST_GAP + (SLOWEST_GAP - FASTEST_GAP) * part


class Pace:
    """`deliver` hands a state on at once. `later(seconds, work)` does work later."""

    def __init__(
        self,
        deliver: Deliver,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self.lag = 0.0
        self._deliver = deliver
        self._clock = clock
        self._later = later
        # topic -> when a state of it was last handed on
        self._told_at: dict[str, float] = {}
        # topic -> slot -> the newest state that waits
        self._held: dict[str, dict[Slot, str]] = {}

    async def measure(self) -> None:
        """For ever."""
        while True:
            slept_at = self._clock()
            await asyncio.sleep(SAMPLE_SECONDS)
            self.saw(self._clock() - slept_at - SAMPLE_SECONDS)

    def saw(self, lag: float) -> None:
        """Up at once, down slowly."""
        self.lag = max(lag, self.lag * KEPT_OF_LAG)

    def take(self, topic: str, slot: Slot, payload: str) -> None:
        now = self._clock()
        waiting = self._held.get(topic)
        if waiting is not None:
            if waiting.pop(slot, None) is not None:  # the newest one goes to the end of the line
                tally.count(HELD)
            waiting[slot] = payload
            return
        told_at = self._told_at.get(topic)
        wait = 0.0 if told_at is None else told_at + gap_of(self.lag) - now
        if wait <= 0:
            self._told_at[topic] = now
            self._deliver(topic, slot, payload)
            return
        self._held[topic] = {slot: payload}
        later = self._later or asyncio.get_running_loop().call_later
        later(wait, lambda: self._release(topic))

    def forget(self, topic: str) -> None:
        """Nobody looks at it any more."""
        self._told_at.pop(topic, None)
        self._held.pop(topic, None)

    def _release(self, topic: str) -> None:
        self._told_at[topic] = self._clock()
        for slot, payload in self._held.pop(topic, {}).items():
            self._deliver(topic, slot, payload)
