"""Where market streams are served: spot at `/ws` and `/stream`, futures behind `/public`, `/market`
and `/private`."""

import asyncio
import contextlib
import time
from fnmatch import fnmatchcase
from urllib.parse import unquote

from aiohttp import WSMsgType, web

from simulator.connection import Connection, Lifetime
from simulator.exchange import Exchange
from simulator.limits import (
    ATTEMPTS,
    ATTEMPTS_SECONDS,
    MESSAGES_A_SECOND,
    STREAMS_A_CONNECTION,
    Rate,
)
from simulator.listing import SPOT, USDM

CATEGORIES = ("public", "market", "private")


class Sockets:
    """`futures_port`: there addresses without a category are futures' too, and nearly silent."""

    def __init__(
        self,
        exchange: Exchange,
        lifetime: Lifetime,
        *,
        futures_port: int = 0,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.exchange = exchange
        self.lifetime = lifetime
        self.connections: set[Connection] = set()
        self.futures_port = futures_port
        self.attempts = Rate(attempts, ATTEMPTS_SECONDS, time.monotonic)

    def routes(self) -> list[web.RouteDef]:
        routes = [
            web.get("/ws", self.raw),
            web.get("/ws/{streams:.+}", self.raw),
            web.get("/stream", self.combined),
        ]
        for category in CATEGORIES:
            head = f"/{{category:{category}}}"
            routes += [
                web.get(f"{head}/ws", self.raw),
                web.get(f"{head}/ws/{{streams:.+}}", self.raw),
                web.get(f"{head}/stream", self.combined),
            ]
        return routes

    async def raw(self, request: web.Request) -> web.StreamResponse:
        """`/ws`, `/ws/<stream>`"""
        tail = unquote(request.match_info.get("streams", ""))
        names = [*_names(tail), *request.query.getall("listenKey", [])]
        return await self._serve(request, names, is_combined=False)

    async def combined(self, request: web.Request) -> web.StreamResponse:
        """`/stream`, `/stream?streams=<a>/<b>`"""
        names = _names(request.query.get("streams", ""))
        names += request.query.getall("listenKey", [])
        return await self._serve(request, names, is_combined=True)

    def flush(self) -> None:
        for connection in self.connections:
            connection.flush()

    def choose(self, stream: str) -> list[Connection]:
        """Connections that hear a stream of this pattern; `*` chooses all."""
        return [
            connection
            for connection in self.connections
            if stream == "*" or any(fnmatchcase(name, stream) for name in connection.streams)
        ]

    def cut(self, stream: str = "*") -> int:
        chosen = self.choose(stream)
        for connection in chosen:
            connection.cut()
        return len(chosen)

    async def shut_down(self, seconds: float) -> None:
        """Announce it as spot does, then end what is still open."""
        open_now = [item for item in self.connections if not item.is_half_open]
        for connection in open_now:
            if connection.category == "":
                event_time = self.exchange.now() // connection.scale
                connection.announce("serverShutdown", {"e": "serverShutdown", "E": event_time})
        await asyncio.sleep(seconds)
        for connection in open_now:
            with contextlib.suppress(ConnectionError):
                await connection.socket.close(code=1001, message=b"server shuts down")

    # --- one connection -------------------------------------------------------------------------

    async def _serve(
        self, request: web.Request, names: list[str], *, is_combined: bool
    ) -> web.StreamResponse:
        if self.exchange.faults.refuses_connections():
            assert request.transport is not None
            request.transport.close()
            return web.Response(status=503)
        if not self.attempts.allows():
            return web.Response(status=429, text="Too many connection attempts")
        market, category = self._address(request)
        wall = self.exchange.faults.wall_before(request.url.host or "")
        if wall and (wall > 1 or market != SPOT):
            return web.Response(status=wall if wall > 1 else 404)
        micro = market == SPOT and request.query.get("timeUnit", "").upper() == "MICROSECOND"
        connection = Connection(
            self.exchange.markets[market].audience,
            self.exchange.faults,
            is_combined=is_combined,
            scale=1 if micro else 1000,
            category=category,
        )
        await connection.open(request)
        connection.add(names[:STREAMS_A_CONNECTION])
        self.connections.add(connection)
        helpers = [
            asyncio.create_task(self._ping(connection)),
            asyncio.create_task(self._end_of_life(connection)),
            asyncio.create_task(self._cut_now_and_then(connection)),
        ]
        try:
            await self._read(connection, Rate(MESSAGES_A_SECOND[market], 1.0, time.monotonic))
        finally:
            await _stop(helpers)
            connection.remove(list(connection.streams))
            self.connections.discard(connection)
        return connection.socket

    def _address(self, request: web.Request) -> tuple[str, str]:
        """Market and category of a path."""
        category = request.match_info.get("category", "")
        if category:
            return USDM, category
        assert request.transport is not None
        port = request.transport.get_extra_info("sockname")[1]
        return (USDM, "public") if port == self.futures_port else (SPOT, "")

    async def _read(self, connection: Connection, rate: Rate) -> None:
        while True:
            message = await connection.socket.receive()
            if message.type in {WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return
            if connection.is_half_open:
                if message.type == WSMsgType.CLOSE:
                    await connection.wait_gone()
                    return
                continue
            if message.type == WSMsgType.CLOSE:
                await connection.socket.close()
                return
            if not rate.allows():
                await connection.socket.close(code=1008, message=b"Too many requests")
                return
            if message.type == WSMsgType.TEXT:
                connection.control(message.data)
            elif message.type == WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type == WSMsgType.PONG and message.data:
                # an empty pong is allowed, but keeps nothing alive
                connection.last_pong = asyncio.get_running_loop().time()

    async def _ping(self, connection: Connection) -> None:
        lifetime, now = self.lifetime, asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(lifetime.ping_every)
            if connection.is_half_open:
                continue
            if now() - connection.last_pong > lifetime.pong_within:
                await connection.socket.close(code=1008, message=b"Pong timeout")
                return
            await connection.socket.ping(str(self.exchange.now() // 1000).encode())

    async def _end_of_life(self, connection: Connection) -> None:
        await asyncio.sleep(self.lifetime.life)
        if connection.is_half_open:
            return
        await connection.socket.close(code=1001, message=b"24 hours are over")

    async def _cut_now_and_then(self, connection: Connection) -> None:
        faults = self.exchange.faults
        while True:
            every = faults.cut_every
            await asyncio.sleep(faults.rng.uniform(0.5, 1.5) * every if every else 1)
            if every:
                faults.counts["cut"] += 1
                connection.cut()


def _names(text: str) -> list[str]:
    return [name for name in text.split("/") if name]


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task
