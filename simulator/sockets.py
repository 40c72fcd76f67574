"""`/ws` and `/stream`: market streams with Binance's control messages."""

import asyncio
import contextlib
import json
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from simulator.exchange import Exchange

PING_SECONDS = 20.0
STREAMS_A_CONNECTION = 1024
OUTBOX_LIMIT = 100_000


class Connection:
    """One client. Frames wait in an outbox, so a slow client never delays the others."""

    def __init__(self, exchange: Exchange, is_combined: bool, scale: int) -> None:
        self.exchange = exchange
        self.is_combined = is_combined
        self.scale = scale
        self.streams: dict[str, None] = {}
        self.socket = web.WebSocketResponse(compress=False, autoping=True)
        self._outbox: deque[str] = deque()
        self._held: list[str] = []
        self._wake = asyncio.Event()

    def push(self, stream: str, payload: str) -> None:
        text = f'{{"stream":"{stream}","data":{payload}}}' if self.is_combined else payload
        self._outbox.extend(self.exchange.faults.send_plan(text, self._held))
        self._wake.set()

    def say(self, answer: dict[str, object]) -> None:
        """An answer to a control message; faults leave it alone."""
        self._outbox.append(json.dumps(answer, separators=(",", ":")))
        self._wake.set()

    def add(self, names: list[str]) -> None:
        for name in names:
            self.streams[name] = None
            self.exchange.listen(name, self)

    def remove(self, names: list[str]) -> None:
        for name in names:
            self.streams.pop(name, None)
            self.exchange.leave(name, self)

    async def send_loop(self) -> None:
        while not self.socket.closed:
            await self._wake.wait()
            self._wake.clear()
            if len(self._outbox) > OUTBOX_LIMIT:
                await self.socket.close(code=1008, message=b"too slow")
                return
            while self._outbox:
                await self.socket.send_str(self._outbox.popleft())

    async def ping_loop(self) -> None:
        while not self.socket.closed:
            await asyncio.sleep(PING_SECONDS)
            await self.socket.ping(str(int(asyncio.get_running_loop().time())).encode())

    def cut(self) -> None:
        """End without a goodbye, as a network does."""
        if self.socket._req is not None and self.socket._req.transport is not None:
            self.socket._req.transport.abort()

    def control(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return self.say({"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"})
        if not isinstance(message, dict) or "method" not in message:
            return self.say({"code": 2, "msg": "Invalid request: missing field `method`"})
        return self._obey(message["method"], message.get("params"), message.get("id"))

    def _obey(self, method: object, params: Any, request_id: object) -> None:
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
                self.add(params)  # unknown streams are taken too, and never say anything
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


class Sockets:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.connections: set[Connection] = set()

    async def raw(self, request: web.Request) -> web.WebSocketResponse:
        """`/ws`, `/ws/<stream>`"""
        tail = request.match_info.get("streams", "")
        return await self._serve(request, [name for name in tail.split("/") if name], False)

    async def combined(self, request: web.Request) -> web.WebSocketResponse:
        """`/stream`, `/stream?streams=<a>/<b>`"""
        names = [name for name in request.query.get("streams", "").split("/") if name]
        return await self._serve(request, names, True)

    def cut_all(self) -> int:
        for connection in self.connections:
            connection.cut()
        return len(self.connections)

    async def _serve(
        self, request: web.Request, names: list[str], is_combined: bool
    ) -> web.WebSocketResponse:
        micro = request.query.get("timeUnit", "").upper() == "MICROSECOND"
        connection = Connection(self.exchange, is_combined, 1 if micro else 1000)
        await connection.socket.prepare(request)
        connection.add(names[:STREAMS_A_CONNECTION])
        self.connections.add(connection)
        helpers = [
            asyncio.create_task(connection.send_loop()),
            asyncio.create_task(connection.ping_loop()),
            asyncio.create_task(self._cut_now_and_then(connection)),
        ]
        try:
            async for message in connection.socket:
                if message.type == WSMsgType.TEXT:
                    connection.control(message.data)
        finally:
            for helper in helpers:
                helper.cancel()
            for helper in helpers:
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await helper
            connection.remove(list(connection.streams))
            self.connections.discard(connection)
        return connection.socket

    async def _cut_now_and_then(self, connection: Connection) -> None:
        while True:
            every = self.exchange.faults.cut_every
            await asyncio.sleep(self.exchange.faults.rng.uniform(0.5, 1.5) * every if every else 1)
            if every:
                connection.cut()
