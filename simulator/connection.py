"""One client's market stream: its subscriptions, its control messages, and what is sent to it."""

import asyncio
import json
import re
import struct
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from simulator.audience import Audience
from simulator.faults import Faults
from simulator.limits import STREAMS_A_CONNECTION

# What a client may leave unread before it is cut.
UNREAD_BYTES = 64 * 1024 * 1024
TEXT_FRAME = 0x81
# What a stream's name may look like; others are taken and never speak.
NAME = re.compile(r"!?\w+(@[\w+:-]+)*")
LISTEN_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Lifetime:
    """Seconds: between pings, until a pong is missed, until the connection ends by itself."""

    ping_every: float = 20.0
    pong_within: float = 60.0
    life: float = 86_400.0


class Connection:
    """Frames are gathered and written at once after each step of the exchange; a slow client
    never delays the others. `may_hear` names the streams that this address serves."""

    def __init__(
        self, audience: Audience, faults: Faults, *, is_combined: bool, scale: int, category: str
    ) -> None:
        self.audience = audience
        self.faults = faults
        self.is_combined = is_combined
        self.scale = scale
        self.category = category
        self.streams: dict[str, None] = {}
        self.socket = web.WebSocketResponse(compress=False, autoping=False, autoclose=False)
        self.is_half_open = False
        self.last_pong = 0.0
        self._transport: asyncio.Transport | None = None
        self._out: list[str] = []
        self._held: list[str] = []
        self._delayed: deque[tuple[float, str]] = deque()

    async def open(self, request: web.Request) -> None:
        await self.socket.prepare(request)
        # uvloop's transports are no subclass of asyncio's
        self._transport = cast(asyncio.Transport, request.transport)
        self.last_pong = asyncio.get_running_loop().time()

    # --- to the client --------------------------------------------------------------------------

    def push(self, stream: str, payload: str) -> None:
        text = f'{{"stream":"{stream}","data":{payload}}}' if self.is_combined else payload
        if self.faults.is_calm and not self._held and not self._delayed:
            self._out.append(text)
            return
        frames = self.faults.send_plan(text, self._held)
        late = self.faults.delay_seconds()
        if late or self._delayed:
            now = asyncio.get_running_loop().time()
            due = max(now + late, self._delayed[-1][0] if self._delayed else 0.0)
            self._delayed.extend((due, frame) for frame in frames)
        else:
            self._out.extend(frames)

    def say(self, answer: dict[str, object]) -> None:
        """An answer to a control message; faults leave it alone."""
        self._out.append(json.dumps(answer, separators=(",", ":")))
        self.flush()

    def announce(self, name: str, event: dict[str, object]) -> None:
        """An event of the connection itself."""
        self.say({"stream": f"!{name}", "data": event} if self.is_combined else event)

    def flush(self) -> None:
        """Write everything gathered so far as WebSocket text frames in one go."""
        if self._delayed:
            now = asyncio.get_running_loop().time()
            while self._delayed and self._delayed[0][0] <= now:
                self._out.append(self._delayed.popleft()[1])
        if not self._out:
            return
        frames, self._out = self._out, []
        transport = self._transport
        if transport is None or transport.is_closing() or self.is_half_open or self.socket.closed:
            return
        transport.write(b"".join(map(text_frame, frames)))
        if transport.get_write_buffer_size() > UNREAD_BYTES:
            self.cut()

    def cut(self) -> None:
        """End without a goodbye, as a network does."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_gone(self) -> None:
        """Until the client has given up on a connection that does not answer."""
        while self._transport is not None and not self._transport.is_closing():
            await asyncio.sleep(0.5)

    # --- from the client ------------------------------------------------------------------------

    def control(self, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return self.say({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return self.say({"code": 2, "msg": "Invalid request: missing field `method`"})
        request_id = message.get("id")
        if not _is_id(request_id):
            refusal = "Invalid request: request ID must be an integer, a text of 36 or null"
            return self.say({"code": 2, "msg": refusal})
        return self._obey(message["method"], message.get("params"), request_id)

    def add(self, names: list[str]) -> None:
        """Unknown streams, and those of another address, are taken too: they never say anything."""
        for name in names:
            self.streams[name] = None
            # a user stream of futures is named by its listenKey
            is_user = self.category == "private" and LISTEN_KEY.fullmatch(name)
            if is_user or (serves(self.category, name) and NAME.fullmatch(name)):
                self.audience.listen(name, self)

    def remove(self, names: list[str]) -> None:
        for name in names:
            self.streams.pop(name, None)
            self.audience.leave(name, self)

    def _obey(self, method: str, params: Any, request_id: object) -> None:
        if method in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            if not isinstance(params, list) or not all(isinstance(p, str) for p in params):
                return self.say(
                    {"code": 1, "msg": "Invalid value type: expected an array of strings"}
                )
            if method == "UNSUBSCRIBE":
                self.remove(params)
            elif len({*self.streams, *params}) > STREAMS_A_CONNECTION:
                return self.say({"code": 2, "msg": "Invalid request: too many streams"})
            else:
                self.add(params)
            return self.say({"result": None, "id": request_id})
        if method == "LIST_SUBSCRIPTIONS":
            return self.say({"result": list(self.streams), "id": request_id})
        if method == "GET_PROPERTY" and params == ["combined"]:
            return self.say({"result": self.is_combined, "id": request_id})
        if method == "SET_PROPERTY" and isinstance(params, list) and params[:1] == ["combined"]:
            if len(params) != 2 or not isinstance(params[1], bool):
                return self.say({"code": 1, "msg": "Invalid value type: expected Boolean"})
            self.is_combined = params[1]
            return self.say({"result": None, "id": request_id})
        if method in {"GET_PROPERTY", "SET_PROPERTY"}:
            return self.say({"code": 0, "msg": "Unknown property"})
        return self.say({"code": 2, "msg": f"Invalid request: unknown variant `{method}`"})


def text_frame(text: str) -> bytes:
    """An unmasked, whole WebSocket text frame (RFC 6455, 5.2)."""
    body = text.encode()
    size = len(body)
    if size < 126:
        return bytes((TEXT_FRAME, size)) + body
    if size < 65_536:
        return struct.pack("!BBH", TEXT_FRAME, 126, size) + body
    return struct.pack("!BBQ", TEXT_FRAME, 127, size) + body


PUBLIC_KINDS = ("bookTicker", "depth", "rpiDepth", "trade")


def serves(category: str, stream: str) -> bool:
    """Futures' addresses serve one category each, without a word about the others; an address
    without a category is served as `public` (since 2026-04-23). Spot serves everything."""
    if category == "":
        return True
    kind = stream[1:] if stream.startswith("!") else stream.partition("@")[2]
    is_public = kind.startswith(PUBLIC_KINDS)
    return is_public if category == "public" else category == "market" and not is_public


def _is_id(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or (isinstance(value, str) and len(value) <= 36)
