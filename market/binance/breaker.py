"""A circuit breaker: an exchange that keeps failing is left alone for a while."""

import time
from collections.abc import Callable

from market.binance.errors import TryAgain

FAILURES = 5
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
# Answers that will not change within seconds: status -> the first pause and the longest.
DENIALS = {403: (120.0, 1800.0), 451: (300.0, 3600.0)}
# One address may be refused for what it asks; so many in a row mean this machine.
DENIALS_OF_ALL = 3


class Breaker:
    """After FAILURES in a row nobody calls for 2, 4 … 60 s; then one call decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._closed_from = 0.0
        self._denials = 0

    @property
    def is_open(self) -> bool:
        return self._clock() < self._closed_from

    def check(self) -> None:
        """Raises TryAgain while it is open."""
        if self.is_open:
            raise TryAgain("the exchange keeps failing, so nobody calls for a while")

    def succeeded(self) -> None:
        self._failures, self._pause, self._denials = 0, FIRST_PAUSE, 0

    def failed(self) -> None:
        if self.is_open:
            return  # a call that was under way when it opened
        self._failures += 1
        if self._failures >= FAILURES:
            self._closed_from = self._clock() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def denied(self, status: int) -> tuple[float, bool]:
        """(seconds to leave it alone, whether all of this machine shall): 403 is the firewall's
        word, once for a caller, again and again for everybody; 451 is the country's. Pauses double
        until a call goes through."""
        self._denials += 1
        first, longest = DENIALS[status]
        is_of_all = status == 451 or self._denials >= DENIALS_OF_ALL
        doublings = max(0, self._denials - (1 if status == 451 else DENIALS_OF_ALL))
        return min(first * 2 ** min(doublings, 10), longest), is_of_all
