"""What is dear is done by few at once: in this process so many in all, and so many for one user,
beside others one.

A request at such a door holds a thread and a connection of the pool for as long as the server
needs; without a bound one user's ten would leave none for the others.
"""

import threading
import weakref
from collections import Counter

# Less than half of the pool's connections (settings.POOL).
MOST, MOST_OF_ONE = 4, 2
_lock = threading.Lock()
_held: Counter[str] = Counter()


class Turn:
    """Held until `end`, or until nobody holds the turn itself: a cancelled request ends it too."""

    def __init__(self, who: str) -> None:
        self.end = weakref.finalize(self, _give_back, who)


def take_turn(who: str, *, is_beside_others: bool = False) -> Turn | None:
    """None where too many are at it."""
    most = 1 if is_beside_others else MOST_OF_ONE
    with _lock:
        if sum(_held.values()) >= MOST or _held[who] >= most:
            return None
        _held[who] += 1
    return Turn(who)


def _give_back(who: str) -> None:
    with _lock:
        _held[who] -= 1
        if not _held[who]:
            del _held[who]
