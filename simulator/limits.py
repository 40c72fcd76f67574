"""Binance's limits: request weight with 429 that grows to 418, connection attempts, messages."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.listing import SPOT, USDM

WEIGHT_A_MINUTE = {SPOT: 6000, USDM: 2400}
MESSAGES_A_SECOND = {SPOT: 5, USDM: 10}
STREAMS_A_CONNECTION = 1024
ATTEMPTS = 300
ATTEMPTS_SECONDS = 300.0
# After so many refusals that were not heeded the address is banned: 2 min, 4 min … 3 days.
REFUSALS_BEFORE_BAN = 10
FIRST_BAN_SECONDS = 120.0
LONGEST_BAN_SECONDS = 3 * 86_400.0


@dataclass(frozen=True)
class Refused:
    """HTTP status, seconds until it is worth trying again, and what to say."""

    status: int
    retry_after: int
    message: str


class Weights:
    """One address's request weight in fixed minutes. `clock` gives epoch seconds."""

    def __init__(
        self, market: str, clock: Callable[[], float], first_ban_seconds: float = FIRST_BAN_SECONDS
    ) -> None:
        self.limit = WEIGHT_A_MINUTE[market]
        self.used = 0
        self._clock = clock
        self._minute = 0
        self._refusals = 0
        self._ban_seconds = first_ban_seconds
        self._banned_until = 0.0

    def take(self, weight: int) -> Refused | None:
        """Count a request; the refusal if it is one too many."""
        now = self._clock()
        if now < self._banned_until:
            return self._banned(now)
        if int(now // 60) != self._minute:
            self._minute, self.used, self._refusals = int(now // 60), 0, 0
        self.used += weight
        if self.used <= self.limit:
            return None
        self._refusals += 1
        if self._refusals > REFUSALS_BEFORE_BAN:
            self.ban(self._ban_seconds)
            self._ban_seconds = min(self._ban_seconds * 2, LONGEST_BAN_SECONDS)
            return self._banned(now)
        wait = 60 - int(now) % 60
        return Refused(
            429,
            wait,
            f"Too much request weight used; current limit is {self.limit} request weight per 1 "
            "MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.",
        )

    def ban(self, seconds: float) -> None:
        self._banned_until = self._clock() + seconds

    def _banned(self, now: float) -> Refused:
        wait = int(self._banned_until - now) + 1
        until_ms = int(self._banned_until * 1000)
        return Refused(
            418,
            wait,
            f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket "
            "Streams for live updates to avoid bans.",
        )


class Rate:
    """At most `count` events within `seconds`; `allows` counts one more."""

    def __init__(self, count: int, seconds: float, clock: Callable[[], float]) -> None:
        self._count, self._seconds, self._clock = count, seconds, clock
        self._times: deque[float] = deque()

    def allows(self) -> bool:
        now = self._clock()
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        self._times.append(now)
        return len(self._times) <= self._count

    def count(self) -> int:
        """How many happened lately."""
        now = self._clock()
        return sum(at > now - self._seconds for at in self._times)


class OrderCount:
    """Orders of an account and market in a fixed window of the exchange's clock (epoch seconds)."""

    def __init__(self, limit: int, seconds: int, clock: Callable[[], float]) -> None:
        self.limit, self.seconds = limit, seconds
        self._clock = clock
        self._window = 0
        self._count = 0

    def count(self) -> int:
        window = int(self._clock() // self.seconds)
        if window != self._window:
            self._window, self._count = window, 0
        return self._count

    @property
    def is_full(self) -> bool:
        return self.count() >= self.limit

    @property
    def ends_in(self) -> int:
        """Seconds until the next window."""
        return int(self.seconds - self._clock() % self.seconds) + 1

    def add(self) -> None:
        self._count = self.count() + 1
