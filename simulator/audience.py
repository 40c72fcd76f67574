"""Who listens to which stream of one market."""

from collections.abc import Callable
from typing import Protocol

Payload = Callable[[int], str]


class Listener(Protocol):
    """A connection: `scale` is 1 for microseconds and 1000 for milliseconds."""

    scale: int

    def push(self, stream: str, payload: str) -> None: ...


class Audience:
    def __init__(self) -> None:
        self.listeners: dict[str, set[Listener]] = {}
        # set by a fault: streams that say nothing though their sockets stay open
        self.is_silent: Callable[[str], bool] = lambda stream: False

    def wants(self, stream: str) -> bool:
        return stream in self.listeners

    def wanted(self, head: str) -> list[str]:
        """What follows `head` in the names that somebody listens to."""
        return [name[len(head) :] for name in self.listeners if name.startswith(head)]

    def say(self, stream: str, payload: Payload) -> None:
        """Make the payload once a time unit and hand it to everybody who listens."""
        listeners = self.listeners.get(stream)
        if not listeners or self.is_silent(stream):
            return
        made: dict[int, str] = {}
        for listener in listeners:
            if listener.scale not in made:
                made[listener.scale] = payload(listener.scale)
            listener.push(stream, made[listener.scale])

    def listen(self, stream: str, listener: Listener) -> None:
        self.listeners.setdefault(stream, set()).add(listener)

    def leave(self, stream: str, listener: Listener) -> None:
        listeners = self.listeners.get(stream)
        if listeners is not None:
            listeners.discard(listener)
            if not listeners:
                del self.listeners[stream]
