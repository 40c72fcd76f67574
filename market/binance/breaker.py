"""A circuit breaker: an exchange that keeps failing is left alone for a while."""

import time
from collections.abc import Callable

from market.binance.errors import TryAgain

FAILURES = 5
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0


class Breaker:
    """After FAILURES in a row nobody calls for 2, 4 … 60 s; then one call decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._closed_from = 0.0

    @property
    def is_open(self) -> bool:
        return self._clock() < self._closed_from

    def check(self) -> None:
        """Raises TryAgain while it is open."""
        if self.is_open:
            raise TryAgain("the exchange keeps failing, so nobody calls for a while")

    def succeeded(self) -> None:
        self._failures, self._pause = 0, FIRST_PAUSE

    def failed(self) -> None:
        if self.is_open:
            return  # a call that was under way when it opened
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_from = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
