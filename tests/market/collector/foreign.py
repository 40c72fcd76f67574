"""An exchange that is not our simulator: a capture replayed over the `websockets` library and a
plain asyncio HTTP server, with times moved by whole minutes to now, cuts, and frames that are
dropped, doubled, swapped and late."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from market.flow.trades import Trade
from tests import captures

MINUTE_MS = 60_000


class ForeignExchange:
    """Sends `trades` as BTCUSDT within `seconds`, however often a client comes and goes."""

    def __init__(self, trades: list[Trade], seconds: float, seed: int = 1) -> None:
        first_ms = trades[0].time
        self.shift_ms = (int(time.time() * 1000) - first_ms) // MINUTE_MS * MINUTE_MS
        self.trades = trades
        self.seconds = seconds
        self.rng = random.Random(seed)
        self.sent = 0  # how many trades the market has made so far
        self.connects = 0
        self.clients: dict[ServerConnection, int] = {}
        self._has_client = asyncio.Event()
        self.port = 0

    @property
    def is_over(self) -> bool:
        return self.sent == len(self.trades)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ForeignExchange"]:
        async with serve(
            self._client, "127.0.0.1", 0, process_request=self._rest, compression=None
        ) as server:
            self.port = server.sockets[0].getsockname()[1]
            trading = asyncio.create_task(self._trade())
            yield self
            trading.cancel()

    async def _trade(self) -> None:
        """The market goes on from the first client on; every now and then a connection is cut."""
        await self._has_client.wait()
        started = time.monotonic()
        next_cut = 1.0
        late: list[tuple[float, str]] = []
        while not self.is_over or late:
            passed = time.monotonic() - started
            due = min(len(self.trades), int(passed / self.seconds * len(self.trades)))
            batch = [self._frame(trade) for trade in self.trades[self.sent : due]]
            self.sent = due
            frames = self._worsen(batch, late, passed)
            for client in list(self.clients):
                with suppress(ConnectionClosed):  # cut while it was written to: the market goes on
                    for frame in frames:
                        await client.send(frame)
            if passed > next_cut:
                next_cut = passed + self.rng.uniform(0.5, 2.0)
                for client in list(self.clients):
                    client.transport.abort()
            await asyncio.sleep(0.01)

    def _worsen(self, frames: list[str], late: list[tuple[float, str]], now: float) -> list[str]:
        worse: list[str] = []
        for frame in frames:
            roll = self.rng.random()
            if roll < 0.03:
                continue
            if roll < 0.05:
                late.append((now + self.rng.uniform(0.05, 3.0), frame))
                continue
            worse += [frame, frame] if roll < 0.08 else [frame]
            if roll > 0.97 and len(worse) > 1:
                worse[-1], worse[-2] = worse[-2], worse[-1]
        worse += [frame for due, frame in late if due <= now]
        late[:] = [item for item in late if item[0] > now]
        return worse

    def _time(self, trade: Trade, scale: int) -> int:
        return (trade.time + self.shift_ms) * scale

    def _frame(self, trade: Trade) -> str:
        data = {
            "e": "trade",
            "E": self._time(trade, 1000) + 1500,
            "s": "BTCUSDT",
            "t": trade.id,
            "p": f"{trade.price / 10**8:.8f}",
            "q": f"{trade.quantity / 10**8:.8f}",
            "T": self._time(trade, 1000),
            "m": trade.is_buyer_maker,
            "M": True,
        }
        return json.dumps({"stream": "btcusdt@trade", "data": data})

    async def _client(self, client: ServerConnection) -> None:
        self.connects += 1
        self.clients[client] = self.connects
        self._has_client.set()
        try:
            await client.wait_closed()
        finally:
            del self.clients[client]

    def _rest(self, client: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        if parts.path == "/stream":
            return None
        if self.rng.random() < 0.05:
            return _answer(503, {"code": -1000, "msg": "An unknown error occurred."})
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        limit = int(query.get("limit", 500))
        known = self.trades[: self.sent]
        if parts.path.endswith("/historicalTrades"):
            known = self.trades[: max(0, self.sent - 20)]  # a database that lags
            rows = [trade for trade in known if trade.id >= int(query["fromId"])][:limit]
        elif parts.path.endswith("/trades"):
            rows = known[-limit:]
        else:
            return _answer(404, {"code": -1, "msg": "no such path"})
        return _answer(200, [self._row(trade) for trade in rows])

    def _row(self, trade: Trade) -> dict[str, object]:
        return {
            "id": trade.id,
            "price": f"{trade.price / 10**8:.8f}",
            "qty": f"{trade.quantity / 10**8:.8f}",
            "quoteQty": "0",
            "isBestMatch": True,
            "time": self._time(trade, 1000),
            "isBuyerMaker": trade.is_buyer_maker,
        }


def _answer(status: int, body: object) -> Response:
    headers = Headers({"Content-Type": "application/json", "Connection": "close"})
    return Response(status, "", headers, json.dumps(body).encode())


def capture(seconds: float) -> ForeignExchange:
    return ForeignExchange(captures.trades("spot_btcusdt_20240808.gz"), seconds)
