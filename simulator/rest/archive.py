"""`/data/…`: the exchange's own archive, with checksums, in the layout of data.binance.vision."""

import asyncio
import hashlib
import tempfile
from collections import OrderedDict
from pathlib import Path

from aiohttp import web

from simulator import archive
from simulator.archive import Wanted
from simulator.exchange import Exchange
from simulator.klines import Stretches

# Bytes of made files that are kept, the newest ones.
KEPT_BYTES = 256 * 1024 * 1024
NOT_THERE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    "<Message>The specified key does not exist.</Message></Error>"
)
# a file, and what faults leave out of it: stretches of time, one candle in so many
Key = tuple[Wanted, tuple[tuple[int, int], ...], int]


class Archive:
    """Files are made when they are asked for, one at a time and beside the event loop."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._folder = tempfile.TemporaryDirectory(prefix="archive-", ignore_cleanup_errors=True)
        # made files by size, the last asked for at the end
        self._made: OrderedDict[Key, tuple[Path, int]] = OrderedDict()
        self._digests: dict[Key, str] = {}
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/data/{path:.+}", self.fetch)]

    def close(self) -> None:
        self._folder.cleanup()

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        path = request.path.lstrip("/")
        is_checksum = path.endswith(".CHECKSUM")
        item = archive.wanted(path.removesuffix(".CHECKSUM"))
        fault = self.exchange.faults.archive_fault(request.path)
        if item is None or fault == "missing" or not self._is_known(item):
            return web.Response(text=NOT_THERE, status=404, content_type="application/xml")
        leaves_out = self.exchange.faults.leaves_out(item.market, item.symbol, item.interval)
        key = item, tuple(self._hidden(item)), leaves_out if item.interval else 0
        file, digest = await self._file(key)
        if is_checksum:
            digest = digest[::-1] if fault == "checksum" else digest
            return web.Response(text=f"{digest}  {item.name}.zip\n", content_type="text/plain")
        if fault in {"damaged", "truncated"}:
            return web.Response(body=spoiled(file.read_bytes(), fault))
        return web.FileResponse(file, headers={"Content-Type": "application/zip"})

    def _is_known(self, item: Wanted) -> bool:
        listed = self.exchange.markets[item.market].listed.get(item.symbol)
        if listed is None:
            return False
        return archive.is_known(item, listed.symbol.tape, self.exchange.now(), self._hidden(item))

    def _hidden(self, item: Wanted) -> Stretches:
        return self.exchange.faults.hidden(item.market, item.symbol)

    async def _file(self, key: Key) -> tuple[Path, str]:
        async with self._making:
            if key not in self._made:
                await asyncio.to_thread(self._make, key)
            self._made.move_to_end(key)
            return self._made[key][0], self._digests[key]

    def _make(self, key: Key) -> None:
        item, hidden, every = key
        symbol = self.exchange.markets[item.market].listed[item.symbol].symbol
        file = (
            Path(self._folder.name)
            / f"{item.market}-{item.kind}-{item.name}-{len(self._digests)}.zip"
        )
        archive.write(file, item, symbol.tape, symbol.rules, hidden, every)
        self._digests[key] = hashlib.sha256(file.read_bytes()).hexdigest()
        self._made[key] = file, file.stat().st_size
        while sum(size for _, size in self._made.values()) > KEPT_BYTES and len(self._made) > 1:
            _, (oldest, _) = self._made.popitem(last=False)
            oldest.unlink(missing_ok=True)


def spoiled(body: bytes, fault: str) -> bytes:
    """Half of a file, or one with wrong bytes in its middle."""
    half = len(body) // 2
    if fault == "truncated":
        return body[:half]
    return body[: half - 32] + bytes(64) + body[half + 32 :]
