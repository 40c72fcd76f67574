"""A simulator with accounts, for tests of connecting."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp import web

from simulator.app import make_app
from simulator.exchange import Exchange
from simulator.faults import Faults


class AccountExchange:
    """Runs in a thread of its own, so that synchronous code may talk to it."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, **body: Any) -> Any:
        async def ask() -> Any:
            async with (
                aiohttp.ClientSession() as session,
                session.post(self.http + path, json=body) as answer,
            ):
                return await answer.json()

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(10)

    def open(self, **more: Any) -> dict[str, Any]:
        """An account with a key that may read, unless `permissions` say otherwise."""
        asked = {"balances": {"USDT": "5000", "BTC": "0.5", "BNB": "2"}, **more}
        opened: dict[str, Any] = self.post("/simulator/accounts", **asked)
        return opened

    @contextmanager
    def running(self) -> Iterator["AccountExchange"]:
        ready, runner = threading.Event(), None

        async def start() -> None:
            nonlocal runner
            exchange = Exchange(Faults(), rest_lag_ms=50)
            for name in ("BTCUSDT", "BNBUSDT"):
                exchange.list_generated(name, None, seed=7, pace=3.0)
            exchange.list_generated("BTCUSDT", None, seed=7, pace=3.0, market="usdm")
            runner = web.AppRunner(make_app(exchange), shutdown_timeout=0.1, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            ready.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.create_task(start())
            self._loop.run_forever()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            assert runner is not None
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()


Opened = Callable[..., dict[str, Any]]
