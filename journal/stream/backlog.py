"""Events that wait for another door at their account's history, or for a row that is held."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from lib.parking import Parking

Event = dict[str, Any]

# A large file is taken in within minutes; what waits longer is asked for instead.
LONGEST_SECONDS = 900.0
# of one queue
MOST_EVENTS = 1_000
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0


class Backlog:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pauses = Parking(FIRST_PAUSE, LONGEST_PAUSE, clock)
        # queue -> events in their order, each with the moment at which it came
        self._events: dict[str, deque[tuple[float, Event]]] = {}

    def __contains__(self, queue: str) -> bool:
        return queue in self._events

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))

    def add(self, queue: str, event: Event) -> bool:
        """Behind what waits in the queue. False where there is no room: all of it is dropped."""
        waiting = self._events.setdefault(queue, deque())
        if len(waiting) >= MOST_EVENTS:
            self.drop(queue)
            return False
        waiting.append((self._clock(), event))
        return True

    def ready(self) -> list[tuple[str, Event]]:
        """The oldest event of each queue whose pause is over."""
        names = [name for name in self._events if not self._pauses.is_parked(name)]
        return [(name, self._events[name][0][1]) for name in names]

    def kept(self, queue: str) -> None:
        """Its oldest event is done."""
        self._pauses.clear(queue)
        self._events[queue].popleft()
        if not self._events[queue]:
            self.drop(queue)

    def refused(self, queue: str) -> bool:
        """Its oldest event has to wait on. False where that took too long: all is dropped."""
        if self._clock() - self._events[queue][0][0] > LONGEST_SECONDS:
            self.drop(queue)
            return False
        self._pauses.park(queue)
        return True

    def drop(self, queue: str) -> None:
        self._pauses.clear(queue)
        self._events.pop(queue, None)
