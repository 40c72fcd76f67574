"""Exchanges with options of their own, on real sockets."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import connect

from simulator.app import SOCKETS, Options, make_app
from simulator.exchange import Exchange
from simulator.faults import Faults
from tests.conftest import RunningSimulator
from tests.simulator.desk import Desk

Serve = Callable[..., Awaitable[RunningSimulator]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(
            exchange: Exchange | None = None, options: Options | None = None
        ) -> RunningSimulator:
            if exchange is None:
                exchange = Exchange(Faults(), rest_lag_ms=50)
                exchange.list_generated("BTCUSDT", None, seed=7, pace=10.0)
                exchange.list_generated("BTCUSDT", None, seed=7, pace=10.0, market="usdm")
            app = make_app(exchange, options)
            runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return RunningSimulator(exchange, runner.addresses[0][1], app[SOCKETS])

        yield start


async def get(simulator: RunningSimulator, path: str, /, **query: Any) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.http}{path}", params=query) as answer,
    ):
        return await answer.json()


async def post(simulator: RunningSimulator, path: str, /, **body: Any) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.http}{path}", data=json.dumps(body)) as answer,
    ):
        return await answer.json()


def listening(address: str, **more: Any) -> connect:
    """A client that takes in all it is told: with a full queue it would not see the answer to its
    goodbye for ten seconds."""
    return connect(address, max_queue=None, **more)


def end_faults(simulator: RunningSimulator) -> None:
    """The time of every fault is over."""
    for fault in simulator.exchange.faults.active:
        fault.until = 0.0


@pytest.fixture
def desk() -> Desk:
    return Desk()
