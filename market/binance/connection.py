"""One WebSocket to Binance's combined market streams, from its handshake to its end."""

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import quote

import structlog
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from market.binance.frames import control

log = structlog.get_logger(__name__)

Sink = Callable[[bytes], None]

TEXT = WSMsgType.TEXT
CONNECT_SECONDS = 10.0
# Nothing at all for so long, then no answer to our ping: the connection is half-open.
IDLE_SECONDS = 15.0
PONG_SECONDS = 10.0
# Names that go into the URL; more are subscribed afterwards, few messages a second.
STREAMS_IN_URL = 200
STREAMS_A_MESSAGE = 100
MESSAGE_PAUSE = 0.25


class Connection:
    """Frames go to `feed` undecoded. Make it with `Connection.open`."""

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport
        self._ended = asyncio.create_task(transport.wait_disconnected())
        self._sending: asyncio.Task[None] | None = None
        self._unsent: list[tuple[str, list[str]]] = []
        self._request_id = 0

    @classmethod
    async def open(cls, address: str, names: Sequence[str], feed: Sink) -> "Connection":
        """Connected and subscribed as far as the names fit into a URL, the others on their way.
        `address` ends where the names begin (market.binance.routes).

        Raises OSError, picows.WSError or TimeoutError.
        """
        in_url = names[:STREAMS_IN_URL]
        streams = "/".join(quote(name, safe="@_!") for name in in_url)
        async with asyncio.timeout(CONNECT_SECONDS):
            transport, _ = await ws_connect(
                lambda: _Listener(feed),
                f"{address}{streams}",
                enable_auto_ping=True,
                auto_ping_idle_timeout=IDLE_SECONDS,
                auto_ping_reply_timeout=PONG_SECONDS,
                websocket_handshake_timeout=CONNECT_SECONDS,
            )
        connection = cls(transport)
        await asyncio.sleep(0)
        if connection.has_ended():  # picows takes a peer that hangs up for a handshake
            raise ConnectionResetError("the connection was closed at once")
        connection.control("SUBSCRIBE", list(names[STREAMS_IN_URL:]))
        return connection

    def has_ended(self) -> bool:
        return self._ended.done()

    @property
    def seconds_to_subscribe(self) -> float:
        """How long the names that did not fit into the URL take."""
        return len(self._unsent) * MESSAGE_PAUSE

    async def wait_ended(self) -> None:
        await asyncio.wait({self._ended})

    def control(self, method: str, names: list[str]) -> None:
        """SUBSCRIBE or UNSUBSCRIBE, in as many messages as it takes, slowly enough."""
        for start in range(0, len(names), STREAMS_A_MESSAGE):
            self._unsent.append((method, names[start : start + STREAMS_A_MESSAGE]))
        if self._unsent and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send())

    async def close(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._transport.disconnect()
        await asyncio.wait({self._ended}, timeout=1)
        self._ended.cancel()

    async def _send(self) -> None:
        while self._unsent and not self._ended.done():
            method, names = self._unsent.pop(0)
            self._request_id += 1
            self._transport.send(WSMsgType.TEXT, control(method, names, self._request_id))
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
