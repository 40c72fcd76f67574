"""A connection to Binance's combined market streams that comes back for ever.

connect -> subscribe -> read; every stream's frames go to its own sink, undecoded. Binance closes a
connection after 24 h and allows 300 attempts in 5 minutes; between attempts we wait 1, 2, 4 … 60 s,
with jitter, and start over after a connection that stood.
Source: binance-spot-api-docs web-socket-streams.md.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec
import structlog
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from market.binance.frames import control, decode_envelope

log = structlog.get_logger(__name__)

Sink = Callable[[bytes], None]

TEXT = WSMsgType.TEXT
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
CONNECT_SECONDS = 10.0
# Nothing at all for so long, then no answer to our ping: the connection is half-open.
IDLE_SECONDS = 15.0
PONG_SECONDS = 10.0
# Names that go into the URL; more are subscribed afterwards, few messages a second.
STREAMS_IN_URL = 200
STREAMS_A_MESSAGE = 100
MESSAGE_PAUSE = 0.25


class MarketStream:
    """`sinks` maps a stream's name (b"btcusdt@trade") to what takes its frames."""

    def __init__(self, base_url: str, on_connected: Callable[[], None]) -> None:
        self.sinks: dict[bytes, Sink] = {}
        self._routes: dict[bytes, Sink] = {}
        self.is_connected = False
        self.connects = 0
        self.malformed = 0
        self._base_url = base_url
        self._on_connected = on_connected
        self._transport: WSTransport | None = None
        self._request_id = 0
        self._background: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`; returns after the connection is closed."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            connects = self.connects
            try:
                await self._connect_once(stop)
            except (OSError, WSError, TimeoutError) as error:
                log.warning("stream connection failed", error=type(error).__name__)
            finally:
                self.is_connected = False
                self._transport = None
            if stop.is_set():
                return
            if self.connects > connects:
                pause = FIRST_PAUSE
            seconds = pause * random.uniform(0.75, 1.25)  # noqa: S311
            log.warning("stream reconnects", after_s=round(seconds, 1), connects=self.connects)
            await _wait(stop, seconds)
            pause = min(pause * 2, LONGEST_PAUSE)

    def subscribe(self, sinks: dict[bytes, Sink]) -> None:
        """Add streams; takes effect now when connected, else with the next connection."""
        new = [name for name in sinks if name not in self.sinks]
        self.sinks.update(sinks)
        self._routes.update(sinks)
        self._send_control("SUBSCRIBE", new)

    def unsubscribe(self, names: Iterable[bytes]) -> None:
        gone = [name for name in names if self.sinks.pop(name, None) is not None]
        self._routes = dict(self.sinks)
        self._send_control("UNSUBSCRIBE", gone)

    def feed(self, frame: bytes) -> None:
        """One frame off the wire: `{"stream":"<name>",…`, so the name ends at the next quote."""
        sink = self._routes.get(frame[11 : frame.find(b'"', 11)])
        if sink is None:
            self._feed_unusual(frame)
        else:
            sink(frame)

    # --- one connection -------------------------------------------------------------------------

    async def _connect_once(self, stop: asyncio.Event) -> None:
        names = [name.decode() for name in self.sinks]
        streams = "/".join(quote(name, safe="@_!") for name in names[:STREAMS_IN_URL])
        url = f"{self._base_url}/stream?timeUnit=MICROSECOND&streams={streams}"
        async with asyncio.timeout(CONNECT_SECONDS):
            transport, _ = await ws_connect(
                lambda: _Listener(self.feed),
                url,
                enable_auto_ping=True,
                auto_ping_idle_timeout=IDLE_SECONDS,
                auto_ping_reply_timeout=PONG_SECONDS,
                websocket_handshake_timeout=CONNECT_SECONDS,
            )
        self._transport, self.is_connected = transport, True
        self.connects += 1
        log.info("stream connected", streams=len(names))
        in_url = {name.encode() for name in names[:STREAMS_IN_URL]}
        # those that did not fit, and those that were added while we connected
        self._send_control("SUBSCRIBE", [name for name in self.sinks if name not in in_url])
        self._on_connected()
        ended = asyncio.create_task(transport.wait_disconnected())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            transport.disconnect()
            await asyncio.wait({ended}, timeout=1)
            ended.cancel()

    def _feed_unusual(self, frame: bytes) -> None:
        """Answers to control messages, announcements, and frames in an unusual spelling."""
        try:
            envelope = decode_envelope(frame)
        except msgspec.DecodeError:
            self.malformed += 1
            log.warning("malformed frame", head=frame[:80].decode(errors="replace"))
            return
        if envelope.code is not None:
            log.error("control message refused", code=envelope.code, message=envelope.msg)
        elif envelope.stream is not None:
            name = envelope.stream.encode()
            sink = self.sinks.get(name)
            if sink is not None:
                sink(frame)
            elif envelope.stream == "!serverShutdown" and self._transport is not None:
                log.warning("server announces its shutdown")
                self._transport.disconnect()
            else:
                self._routes[name] = _pass_over  # still coming after an unsubscribe

    def _send_control(self, method: str, names: list[bytes]) -> None:
        if names and self._transport is not None:
            task = asyncio.create_task(self._send_slowly(self._transport, method, names))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _send_slowly(self, transport: WSTransport, method: str, names: list[bytes]) -> None:
        for start in range(0, len(names), STREAMS_A_MESSAGE):
            self._request_id += 1
            part = [name.decode() for name in names[start : start + STREAMS_A_MESSAGE]]
            transport.send(WSMsgType.TEXT, control(method, part, self._request_id))
            await asyncio.sleep(MESSAGE_PAUSE)


class _Listener(WSListener):
    """Puts fragments together and hands whole text frames on."""

    def __init__(self, feed: Sink) -> None:
        super().__init__()
        self._feed = feed
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == TEXT and frame.fin:
            self._feed(frame.get_payload_as_bytes())
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self._feed(whole)
        elif kind == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


def _pass_over(frame: bytes) -> None:
    """A stream that nobody wants."""


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
