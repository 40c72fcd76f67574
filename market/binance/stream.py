"""A subscription to Binance's market streams that outlives its connections.

connect -> subscribe -> read; every stream's frames go to its own sink, undecoded. Binance ends a
connection after 24 h, and before that announces a shutdown: in both cases the next connection is
opened first, both run side by side for a moment, and whoever reads drops what comes twice. After a
failure we wait 1, 2, 4 … 60 s, with jitter: 300 attempts in 5 minutes are allowed.
Source: binance-spot-api-docs web-socket-streams.md.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import structlog
from picows import WSError, WSHandshakeError

from market.binance.breaker import DENIALS
from market.binance.connection import Connection, Sink
from market.binance.frames import decode_envelope

log = structlog.get_logger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
# A connection that stood for so long ends the growth of the pauses.
STOOD_SECONDS = 10.0
# Binance allows 1024; some room for what is subscribed before something else is unsubscribed.
STREAMS_A_CONNECTION = 1000


@dataclass(frozen=True)
class Times:
    """Seconds: a connection's life before it is replaced, the jitter of that, and how long the old
    and the new one run side by side."""

    life: float = 23 * 3600.0
    jitter: float = 1800.0
    overlap: float = 2.0


class MarketStream:
    """`sinks` maps a stream's name (b"btcusdt@trade") to what takes its frames; `on_connected` is
    called with these names after each connection that may have missed something."""

    def __init__(
        self,
        address: str,
        on_connected: Callable[[Iterable[bytes]], None],
        times: Times | None = None,
        elsewhere: str = "",
    ) -> None:
        """`elsewhere` serves the same streams and is tried when a wall stands before `address`."""
        self.sinks: dict[bytes, Sink] = {}
        self.is_connected = False
        self.connects = 0
        self.replacements = 0
        self.malformed = 0
        self._routes: dict[bytes, Sink] = {}
        self._address, self._elsewhere = address, elsewhere
        self._is_elsewhere = False
        self._on_connected = on_connected
        self._times = times or Times()
        self._open: list[Connection] = []
        self._replace = asyncio.Event()

    @property
    def room(self) -> int:
        return STREAMS_A_CONNECTION - len(self.sinks)

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; returns after the last connection is closed."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                first = await self._connect()
            except (OSError, WSError, TimeoutError) as error:
                log.warning("stream connection failed", error=type(error).__name__)
                self._go_elsewhere(error)
            else:
                stands_since = asyncio.get_running_loop().time()
                self._announce()
                self._replace.clear()
                await self._keep(first, stop)
                self.is_connected = False
                if asyncio.get_running_loop().time() - stands_since > STOOD_SECONDS:
                    pause = FIRST_PAUSE
            if stop.is_set():
                return
            seconds = pause * random.uniform(0.75, 1.25)  # noqa: S311
            log.warning("stream reconnects", after_s=round(seconds, 1), connects=self.connects)
            await _wait(stop, seconds)
            pause = min(pause * 2, LONGEST_PAUSE)

    def subscribe(self, sinks: dict[bytes, Sink]) -> None:
        """Add streams; takes effect now when connected, else with the next connection."""
        new = [name for name in sinks if name not in self.sinks]
        self.sinks.update(sinks)
        self._routes.update(sinks)
        self._control("SUBSCRIBE", new)

    def unsubscribe(self, names: Iterable[bytes]) -> None:
        gone = [name for name in names if self.sinks.pop(name, None) is not None]
        self._routes = dict(self.sinks)
        self._control("UNSUBSCRIBE", gone)

    def subscribe_again(self, names: Iterable[bytes]) -> None:
        """A stream that says nothing though its socket lives may come back this way."""
        known = [name for name in names if name in self.sinks]
        self._control("UNSUBSCRIBE", known)
        self._control("SUBSCRIBE", known)

    def replace(self) -> None:
        """Open another connection beside this one and let this one go."""
        self._replace.set()

    def feed(self, frame: bytes) -> None:
        """One frame off the wire: `{"stream":"<name>",…`, so the name ends at the next quote."""
        sink = self._routes.get(frame[11 : frame.find(b'"', 11)])
        if sink is None:
            self._feed_unusual(frame)
        else:
            sink(frame)

    # --- connections ----------------------------------------------------------------------------

    async def _connect(self) -> Connection:
        names = [name.decode() for name in self.sinks]
        connection = await Connection.open(self._address, names, self.feed)
        # those that were added while we connected
        added = [name.decode() for name in self.sinks if name.decode() not in set(names)]
        connection.control("SUBSCRIBE", added)
        self._open.append(connection)
        self.is_connected = True
        self.connects += 1
        log.info("stream connected", streams=len(self.sinks), connects=self.connects)
        return connection

    async def _keep(self, current: Connection, stop: asyncio.Event) -> None:
        """Until the connection ends, or we are told to stop; it may be replaced meanwhile."""
        while True:
            await self._wait_for_end(current, stop)
            if stop.is_set() or current.has_ended():
                await self._close(current)
                return
            try:
                following = await self._connect()
            except (OSError, WSError, TimeoutError) as error:
                log.warning("replacement failed", error=type(error).__name__)
                await _wait(stop, 5 * FIRST_PAUSE)
                self._replace.set()  # again, as long as the old one lives
                continue
            self.replacements += 1
            overlap = self._times.overlap + following.seconds_to_subscribe
            missed = current.has_ended()
            await _wait(stop, overlap)
            if following.has_ended() and not current.has_ended():
                log.warning("replacement did not stand")
                await self._close(following)
                await _wait(stop, LONGEST_PAUSE / 2)
                self._replace.set()
                continue
            # one that ended before the new one was subscribed may have left a hole
            if missed or current.has_ended():
                self._announce()
            await self._close(current)
            current = following
            self._replace.clear()

    async def _wait_for_end(self, current: Connection, stop: asyncio.Event) -> None:
        """The connection's end, the end of its life, a wish to replace it, or `stop`."""
        jitter = random.uniform(-self._times.jitter, self._times.jitter)  # noqa: S311
        tasks = {
            asyncio.ensure_future(waiting)
            for waiting in (current.wait_ended(), stop.wait(), self._replace.wait())
        }
        try:
            await asyncio.wait(
                tasks, timeout=self._times.life + jitter, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks:
                task.cancel()

    async def _close(self, connection: Connection) -> None:
        self._open.remove(connection)
        await connection.close()

    def _go_elsewhere(self, error: Exception) -> None:
        """Behind a wall the other place is tried, and whatever fails there, the first one again."""
        response = error.response if isinstance(error, WSHandshakeError) else None
        is_wall = response is not None and response.status in DENIALS
        if not self._elsewhere or not (is_wall or self._is_elsewhere):
            return
        self._address, self._elsewhere = self._elsewhere, self._address
        self._is_elsewhere = not self._is_elsewhere
        log.warning("streams go elsewhere", address=self._address.partition("?")[0])

    def _announce(self) -> None:
        self._on_connected(list(self.sinks))

    def _control(self, method: str, names: list[bytes]) -> None:
        if names:
            for connection in self._open:
                connection.control(method, [name.decode() for name in names])

    def _feed_unusual(self, frame: bytes) -> None:
        """Answers to control messages, announcements, and frames in an unusual spelling."""
        try:
            envelope = decode_envelope(frame)
        except msgspec.DecodeError:
            self.malformed += 1
            log.warning("malformed frame", head=frame[:80].decode(errors="replace"))
            return
        if envelope.error is not None:
            refusal = envelope.error
            log.error("control message refused", code=refusal.code, message=refusal.msg)
        elif envelope.code is not None:
            log.error("control message refused", code=envelope.code, message=envelope.msg)
        elif envelope.stream is not None:
            name = envelope.stream.encode()
            sink = self.sinks.get(name)
            if sink is not None:
                sink(frame)
            elif envelope.stream == "!serverShutdown":
                log.warning("server announces its shutdown")
                self._replace.set()
            else:
                self._routes[name] = _pass_over  # still coming after an unsubscribe


def _pass_over(frame: bytes) -> None:
    """A stream that nobody wants."""


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
