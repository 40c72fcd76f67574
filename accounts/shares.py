"""A share of a process's time, for each user.

Requests are counted (`accounts.limits`), but a few dear ones take a core. So what a user's
requests took here is measured too: while others ask as well, a user whose requests take most of
the process, or stand in a queue for seconds or again and again (`config.doors.fairness`), is loud,
and from then on begins one at a time, with pauses in proportion to what the request before took
(`BESIDE_OTHERS`), up to `LONGEST_PAUSE`; the other processes hear of it (`accounts.limits`). Who
is alone, or asks little, never waits. A request that is long in itself, a whole list as a file,
rests between its parts (`give_way`).
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

# Above so much of the processor's second, or of work and database together, both smoothed over
# SMOOTH_SECONDS, a user is loud, until it has not asked for CALM_SECONDS though it might. One who
# asks one thing after another does not come so far.
LOUD, LOUD_WITH_DATABASE = 0.65, 1.2
SMOOTH_SECONDS = 6.0
CALM_SECONDS = 8.0
# So is who asks for more at once than it is given, for so much of the time: a page's requests are
# through in a moment, and of one thing after another nothing waits.
CROWDED = 0.25
# The share that pauses leave to who is loud.
BESIDE_OTHERS = 0.03
# Longer than this nobody pauses after one request, however dear it was.
LONGEST_PAUSE = 20.0
# The share that is left to a long request while others ask, and its longest rest in seconds.
LONG_BESIDE_OTHERS, LONGEST_REST = 0.03, 1.0
# How the names of users begin, in `limits.who_asks`; those of strangers are addresses.
USER = "u"
# Somebody who asked so lately is there.
THERE_SECONDS = 15.0
LOOKED_AT = 8
MOST_REMEMBERED = 10_000
_database = threading.local()
# whom this thread works for, and the processor's seconds it had taken when it last rested
_work = threading.local()


@dataclass
class Cost:
    """Seconds of the processor, and of waiting for the database."""

    processor: float = 0.0
    database: float = 0.0

    @property
    def whole(self) -> float:
        return self.processor + self.database

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.processor - other.processor, self.database - other.database)


@dataclass
class Use:
    """What one user takes of this process, in seconds a second."""

    processor: float = 0.0
    database: float = 0.0
    at: float = 0.0
    # the share of the time in which one of its requests stood in the queue
    waiting: float = 0.0
    waited_at: float = 0.0
    is_loud: bool = False
    # when the next request may begin, while it is loud
    free_at: float = 0.0


class Shares:
    """Safe to use from any thread. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: OrderedDict[str, Use] = OrderedDict()
        self._names: OrderedDict[bytes, str] = OrderedDict()
        self._asked: OrderedDict[str, float] = OrderedDict()

    def know(self, credential: bytes, who: str) -> None:
        """Whose requests carry a credential (a hash of it)."""
        with self._lock:
            _remember(self._names, credential, who)

    def whose(self, credential: bytes) -> str | None:
        with self._lock:
            return self._names.get(credential)

    def asks(self, who: str, seconds_ago: float = 0.0) -> None:
        """A user is there, in this process or another. Strangers are not counted: they have the
        sign-in pages, and are often the same person."""
        if not who.startswith(USER):
            return
        when = self._clock() - seconds_ago
        with self._lock:
            _remember(self._asked, who, max(when, self._asked.get(who, when)))

    def charge(self, who: str, cost: Cost) -> None:
        """A request has taken so much."""
        now = self._clock()
        with self._lock:
            use = self._uses.get(who) or Use(at=now)
            _remember(self._uses, who, use)
            fades = math.exp((use.at - now) / SMOOTH_SECONDS)
            use.processor = use.processor * fades + cost.processor / SMOOTH_SECONDS
            use.database = use.database * fades + cost.database / SMOOTH_SECONDS
            was_loud = _is_still_loud(use, now)
            is_much = use.processor > LOUD or use.processor + use.database > LOUD_WITH_DATABASE
            use.is_loud = is_much or was_loud
            use.at = now
            # a cheap one that ends behind a dear one makes its pause no shorter
            pause = cost.whole * (1 / BESIDE_OTHERS - 1)
            begins = max(use.free_at, now) if was_loud else now
            use.free_at = min(begins + pause, now + LONGEST_PAUSE)

    def crowds(self, who: str) -> None:
        """It asks for more at once than it is given, and does not stop."""
        now = self._clock()
        with self._lock:
            self._crowds(who, now)

    def waited(self, who: str, seconds: float) -> None:
        """Up to now somebody has stood in its queue, for so long."""
        now = self._clock()
        with self._lock:
            use = self._uses.get(who) or Use(at=now)
            fades = math.exp((use.waited_at - now) / SMOOTH_SECONDS)
            use.waiting = use.waiting * fades + seconds / SMOOTH_SECONDS
            use.waited_at = now
            _remember(self._uses, who, use)
            if use.waiting > CROWDED:
                self._crowds(who, now)

    def _crowds(self, who: str, now: float) -> None:
        use = self._uses.get(who) or Use(at=now)
        _remember(self._uses, who, use)
        if not _is_still_loud(use, now):
            use.is_loud, use.free_at = True, now

    def hears(self, who: str, seconds: float) -> None:
        """Another process has found it loud; its next request may begin in so many seconds, below
        0 since so long. No clock that was set back makes it longer than a pause can be."""
        seconds = min(seconds, LONGEST_PAUSE)
        now = self._clock()
        with self._lock:
            use = self._uses.get(who) or Use(at=now)
            _remember(self._uses, who, use)
            use.free_at = max(use.free_at, now + seconds) if use.is_loud else now + seconds
            use.is_loud = True

    def is_loud(self, who: str) -> bool:
        """Whether it has to leave the process to others, who are there."""
        now = self._clock()
        with self._lock:
            return self._is_loud_itself(who, now) and self._has_others(who, now)

    def has_others(self, who: str) -> bool:
        """Whether somebody else is there for whom `who` has to make room."""
        now = self._clock()
        with self._lock:
            return self._has_others(who, now)

    def pause(self, who: str) -> float:
        """Seconds until its next request may begin."""
        with self._lock:
            use = self._uses.get(who)
            return max(0.0, use.free_at - self._clock()) if use is not None else 0.0

    def _has_others(self, who: str, now: float) -> bool:
        """Who is loud too is not one for whom others wait."""
        newest = islice(reversed(self._asked.items()), LOOKED_AT)
        there = (other for other, at in newest if now - at < THERE_SECONDS)
        return any(other != who and not self._is_loud_itself(other, now) for other in there)

    def _is_loud_itself(self, who: str, now: float) -> bool:
        use = self._uses.get(who)
        return use is not None and _is_still_loud(use, now)


def _is_still_loud(use: Use, now: float) -> bool:
    return use.is_loud and now < use.free_at + CALM_SECONDS


shares = Shares()


def credential_of(authorization: bytes, session: bytes) -> bytes | None:
    """A name for what a request carries; None where it carries nothing."""
    carried = authorization or session
    return hashlib.sha256(carried).digest() if carried else None


def spent() -> Cost:
    """What this thread has taken since it began."""
    return Cost(time.thread_time(), getattr(_database, "seconds", 0.0))


def works_for(who: str | None) -> None:
    """Whose request this thread is at; None at its end."""
    _work.who, _work.rested_at = who, time.thread_time()


def give_way(known: Shares = shares) -> None:
    """Between two parts of a long request: its thread rests while others ask, so that it takes
    `LONG_BESIDE_OTHERS` of the processor. Outside a request it does nothing."""
    who: str | None = getattr(_work, "who", None)
    if who is None:
        return
    if known.has_others(who):
        took = time.thread_time() - _work.rested_at
        time.sleep(min(took * (1 / LONG_BESIDE_OTHERS - 1), LONGEST_REST))
    _work.rested_at = time.thread_time()


def count_database(connection: Any, **_: object) -> None:
    """A receiver of `connection_created`: its queries are timed."""
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(
    execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    began = time.perf_counter()
    try:
        return execute(sql, parameters, many, context)
    finally:
        took = time.perf_counter() - began
        _database.seconds = getattr(_database, "seconds", 0.0) + took


def _remember(kept: OrderedDict[Any, Any], key: object, value: object) -> None:
    """The newest last, the oldest forgotten."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)
