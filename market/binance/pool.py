"""As many connections as the streams of a share need, each at most 1000 of them."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from market.binance.connection import Sink
from market.binance.stream import MarketStream, Times


class StreamPool:
    """Streams that are added together (one instrument's) share a connection."""

    def __init__(
        self,
        address: str,
        on_connected: Callable[[Iterable[bytes]], None],
        times: Times | None = None,
        elsewhere: str = "",
    ) -> None:
        self._make = partial(MarketStream, address, on_connected, times, elsewhere)
        self.streams: list[MarketStream] = [self._make()]
        self._home: dict[bytes, MarketStream] = {}
        self._grown = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        return all(stream.is_connected for stream in self.streams)

    @property
    def malformed(self) -> int:
        return sum(stream.malformed for stream in self.streams)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep every connection until `stop`, also those that are needed later."""
        running = 0
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                for stream in self.streams[running:]:
                    group.create_task(stream.run(stop))
                running = len(self.streams)
                self._grown.clear()
                tasks = {asyncio.ensure_future(e.wait()) for e in (stop, self._grown)}
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()

    def subscribe(self, sinks: dict[bytes, Sink]) -> None:
        stream = next((s for s in self.streams if s.room >= len(sinks)), None)
        if stream is None:
            stream = self._make()
            self.streams.append(stream)
            self._grown.set()
        self._home.update(dict.fromkeys(sinks, stream))
        stream.subscribe(sinks)

    def unsubscribe(self, names: Iterable[bytes]) -> None:
        for name in names:
            stream = self._home.pop(name, None)
            if stream is not None:
                stream.unsubscribe([name])

    # A name may have been let go by whoever follows instruments, between two awaits of the caller.

    def is_heard(self, name: bytes) -> bool:
        """Whether the stream's connection stands."""
        return name in self._home and self._home[name].is_connected

    def subscribe_again(self, names: Iterable[bytes]) -> None:
        for name in names:
            if name in self._home:
                self._home[name].subscribe_again([name])

    def replace(self, name: bytes) -> None:
        """Another connection in place of the stream's."""
        if name in self._home:
            self._home[name].replace()
