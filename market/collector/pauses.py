"""What was refused is left alone, from try to try for longer."""

import time
from collections.abc import Callable, Hashable

from market.binance.errors import MustWait, Refused, TryAgain
from market.collector.rebuild import Behind

# Invalid symbol: it is not listed any more, and may be tomorrow.
GONE = {-1121, -1122}
KEPT = 10_000


class Pauses:
    """Pauses by name; they double with each failure behind another, as long as its kind allows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # name -> (failures in a row, left alone until)
        self._failures: dict[Hashable, tuple[int, float]] = {}

    def is_paused(self, name: Hashable) -> bool:
        return self._clock() < self._failures.get(name, (0, 0.0))[1]

    def left(self, name: Hashable) -> float:
        """Seconds."""
        return max(0.0, self._failures.get(name, (0, 0.0))[1] - self._clock())

    def failed(self, name: Hashable, error: Exception) -> float:
        """Seconds for which it is left alone now."""
        first, longest = pause_of(error)
        count = self._failures.get(name, (0, 0.0))[0]
        seconds = min(first * float(1 << min(count, 20)), longest)
        if len(self._failures) >= KEPT:
            now = self._clock()
            self._failures = {k: v for k, v in self._failures.items() if v[1] > now}
        self._failures[name] = (count + 1, self._clock() + seconds)
        return seconds

    def succeeded(self, name: Hashable) -> None:
        self._failures.pop(name, None)


def pause_of(error: Exception) -> tuple[float, float]:
    """The first pause after an error and the longest, in seconds."""
    if isinstance(error, Refused):
        return (60.0, 4 * 3600.0) if error.code in GONE else (5.0, 3600.0)
    if isinstance(error, MustWait):
        return error.seconds, error.seconds
    if isinstance(error, Behind):
        return 1.0, 30.0
    return (1.0, 60.0) if isinstance(error, TryAgain) else (5.0, 600.0)
