"""A simulator with accounts, in a thread, for tests of connecting and of what follows."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import aiohttp
from aiohttp import web

from simulator.accounts.records import SPOT
from simulator.amounts import to_units
from simulator.app import BANK, make_app
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.tape import Trade


class AccountExchange:
    """Runs in a thread of its own, so that synchronous code may talk to it."""

    # what is listed, by market
    symbols: ClassVar[dict[str, tuple[str, ...]]] = {
        "spot": ("BTCUSDT", "BNBUSDT"),
        "usdm": ("BTCUSDT",),
    }

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, /, **body: Any) -> Any:
        async def call() -> Any:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, self.http + path, json=body or None) as answer,
            ):
                return await answer.json()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(20)

    def post(self, path: str, **body: Any) -> Any:
        return self.ask("POST", path, **body)

    def open(self, **more: Any) -> dict[str, Any]:
        """An account with a key that may read, unless `permissions` say otherwise."""
        asked = {"balances": {"USDT": "5000", "BTC": "0.5", "BNB": "2"}, **more}
        opened: dict[str, Any] = self.post("/simulator/accounts", **asked)
        return opened

    def sell(self, symbol: str, price: str, quantity: str) -> None:
        """Somebody sells on spot at a price, to whoever waits there."""

        async def work() -> None:
            listed = self._bank.listed(SPOT, symbol)
            now_us = self._bank.now_ms() * 1000
            trade = Trade(1, to_units(price), to_units(quantity), now_us, True, 1)
            self._bank.meet(listed, [trade])

        asyncio.run_coroutine_threadsafe(work(), self._loop).result(20)

    def make_app(self, exchange: Exchange) -> web.Application:
        return make_app(exchange)

    @contextmanager
    def running(self) -> Iterator[Self]:
        ready, runner = threading.Event(), None

        async def start() -> None:
            nonlocal runner
            exchange = Exchange(Faults(), rest_lag_ms=50)
            for market, names in self.symbols.items():
                for name in names:
                    exchange.list_generated(name, None, seed=7, pace=0.5, market=market)
            app = self.make_app(exchange)
            self._bank = app[BANK]
            runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
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
        assert ready.wait(60)
        try:
            yield self
        finally:
            assert runner is not None
            asyncio.run_coroutine_threadsafe(runner.cleanup(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()
