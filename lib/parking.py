"""What failed waits, longer each time, and holds nobody else up."""

import time
from collections.abc import Callable

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 600.0


class Parking:
    """Names that have failed, with the moment at which each may be tried again."""

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._longest = longest
        self._clock = clock
        # name -> (pause in s, until when)
        self._parked: dict[str, tuple[float, float]] = {}

    def is_parked(self, name: str) -> bool:
        return name in self._parked and self._parked[name][1] > self._clock()

    def park(self, name: str, *, longest: float | None = None) -> float:
        """It has failed: twice as long as the last time, but not longer than `longest`. Returns the
        pause in seconds."""
        before = self._parked.get(name, (self._first / 2, 0.0))[0]
        pause = min(before * 2, longest or self._longest)
        self._parked[name] = pause, self._clock() + pause
        return pause

    def clear(self, name: str) -> None:
        """It has worked, or nobody asks for it any more."""
        self._parked.pop(name, None)
