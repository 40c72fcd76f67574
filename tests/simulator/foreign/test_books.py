"""Order books that other people's clients keep for a minute, against the exchange's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from binance.ws.depthcache import DepthCacheManager, FuturesDepthCacheManager

from simulator.symbol import Symbol
from tests.conftest import RunningSimulator
from tests.simulator.conftest import Serve
from tests.simulator.foreign.test_ccxt import SYMBOLS, exchange_of
from tests.simulator.foreign.test_python_binance import client_of, sockets_of

SECONDS = 60.0
Side = list[list[float]]
# waits for the next state and returns bids and asks, best first
Next = Callable[[], Awaitable[tuple[Side, Side]]]


@asynccontextmanager
async def python_binance(simulator: RunningSimulator, manager: Any) -> AsyncIterator[Next]:
    client = client_of(simulator)
    try:
        async with manager(client, "BTCUSDT", bm=sockets_of(simulator, client)) as stream:

            async def state() -> tuple[Side, Side]:
                cache = await stream.recv()
                return cache.get_bids(), cache.get_asks()

            yield state
    finally:
        await client.close_connection()


@asynccontextmanager
async def ccxt_pro(simulator: RunningSimulator, kind: str) -> AsyncIterator[Next]:
    async with exchange_of(simulator, kind) as exchange:

        async def state() -> tuple[Side, Side]:
            book = await exchange.watch_order_book(SYMBOLS[kind])
            return [list(row) for row in book["bids"]], [list(row) for row in book["asks"]]

        yield state


async def keep(next_state: Next, symbol: Symbol, halted: asyncio.Event, depth: int) -> int:
    """Follow until the market has halted and nothing comes any more; then compare. Returns how
    many states were seen."""
    seen = 0
    bids: Side = []
    asks: Side = []
    while True:
        try:
            async with asyncio.timeout(2.5 if halted.is_set() else 30):
                bids, asks = await next_state()
        except TimeoutError:
            if halted.is_set():
                break
            raise
        seen += 1
        assert bids[0][0] < asks[0][0]
    book = symbol.source.book
    for kept, levels in ((bids, book.top_bids(depth)), (asks, book.top_asks(depth))):
        assert kept[:depth] == [[price / 1e8, size / 1e8] for price, size in levels]
    return seen


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_books_kept_for_a_minute_are_the_exchanges(serve: Serve) -> None:
    simulator = await serve()
    spot = simulator.exchange.symbols["BTCUSDT"]
    usdm = simulator.exchange.markets["usdm"].listed["BTCUSDT"].symbol
    halted = asyncio.Event()
    async with (
        python_binance(simulator, DepthCacheManager) as one,
        python_binance(simulator, FuturesDepthCacheManager) as two,
        ccxt_pro(simulator, "spot") as three,
        ccxt_pro(simulator, "swap") as four,
        asyncio.TaskGroup() as group,
    ):
        tasks = [
            group.create_task(keep(one, spot, halted, 50)),
            group.create_task(keep(two, usdm, halted, 10)),  # a partial book of ten
            group.create_task(keep(three, spot, halted, 50)),
            group.create_task(keep(four, usdm, halted, 50)),
        ]
        await asyncio.sleep(SECONDS)
        for symbol in (spot, usdm):
            symbol.source.is_halted = True  # type: ignore[attr-defined]
        halted.set()
    assert min(task.result() for task in tasks) > SECONDS / 2
