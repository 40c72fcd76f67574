"""Long work for one user in a worker leaves the machine to the others while they ask for pages.

A process beside it that computes without a pause, even one that gives way (`nice`), makes every
answer slower by a half on two cores. With more of them one is free anyway.
"""

import os
import time

import redis

from accounts.limits import others_ask
from accounts.shares import THERE_SECONDS

# The share of a core that is left to the work while others ask, and its longest rest in seconds.
BESIDE_OTHERS, LONGEST_REST = 0.1, 4.0
# Who asks is looked up so often.
LOOKS_EVERY = 1.0
MOST_CORES = 3


class Pace:
    """Of one piece of work in one thread. `who`: for whom it is, as `limits.who_asks` names it."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._rested_at = time.thread_time()
        self._looked_at = 0.0
        self._is_beside_others = False

    def rest(self) -> float:
        """Between two parts, in proportion to what the last one took; returns the seconds. Never
        while something is held that another user may wait for."""
        rests = 0.0
        if self._look():
            took = time.thread_time() - self._rested_at
            rests = min(took * (1 / BESIDE_OTHERS - 1), LONGEST_REST)
            time.sleep(rests)
        self._rested_at = time.thread_time()
        return rests

    def _look(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= LOOKS_EVERY:
            self._looked_at = now
            self._is_beside_others = has_few_cores() and self._others_are_there()
        return self._is_beside_others

    def _others_are_there(self) -> bool:
        try:
            return others_ask(self._who, THERE_SECONDS)
        except redis.RedisError:
            return False  # nobody knows: the work goes on


def has_few_cores() -> bool:
    return (os.cpu_count() or 1) <= MOST_CORES
