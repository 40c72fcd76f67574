"""A simulator with the demo's year, in a thread, and its account connected."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from django.conf import settings

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from accounts.vault import keyring
from lib.secret import Secret
from market.binance.account import AccountRest, Addresses, Credentials
from market.hot import store
from market.listings import governors
from simulator import limits
from simulator.app import Options, make_app
from simulator.exchange import Exchange
from simulator.faults import Faults

SPOT = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
USDM = ("BTCUSDT", "ETHUSDT")


class DemoExchange:
    """Runs in a thread of its own, so that synchronous code may talk to it."""

    def __init__(self, *, has_demo: bool = True) -> None:
        self.port = 0
        self.has_demo = has_demo
        self._loop = asyncio.new_event_loop()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **body: Any) -> Any:
        async def call() -> Any:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, self.http + path, json=body or None) as answer,
            ):
                return await answer.json()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(20)

    @property
    def demo(self) -> dict[str, Any]:
        """Its uid and a key."""
        found: dict[str, Any] = self.ask("GET", "/simulator/accounts")[0]
        return {**found, **found["keys"][0]}

    def open(self, **more: Any) -> dict[str, Any]:
        """An account that may trade spot and futures."""
        allowed = dict.fromkeys(
            ("enableReading", "enableSpotAndMarginTrading", "enableFutures"), True
        )
        found: dict[str, Any] = self.ask("POST", "/simulator/accounts", permissions=allowed, **more)
        for market, asset, amount in (
            ("spot", "USDT", "50000"), ("spot", "BNB", "5"), ("usdm", "USDT", "20000"),
        ):  # fmt: skip
            self.ask("POST", f"/simulator/accounts/{found['uid']}/move", market=market,
                     asset=asset, amount=amount)  # fmt: skip
        return found

    def fault(self, kind: str, **more: Any) -> None:
        self.ask("POST", f"/simulator/faults/{kind}", **more)

    def truth(self, uid: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/simulator/accounts/{uid}/truth")
        return found

    @contextmanager
    def running(self) -> Iterator["DemoExchange"]:
        ready, runner = threading.Event(), None

        async def start() -> None:
            nonlocal runner
            exchange = Exchange(Faults(), rest_lag_ms=50)
            for name in SPOT:
                exchange.list_generated(name, None, seed=7, pace=3.0)
            for name in USDM:
                exchange.list_generated(name, None, seed=7, pace=3.0, market="usdm")
            with pytest.MonkeyPatch.context() as patch:
                for name in ("spot", "usdm"):
                    patch.setitem(limits.WEIGHT_A_MINUTE, name, 10_000_000)
                app = make_app(exchange, Options(has_demo=self.has_demo))
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


def trade(exchange: DemoExchange, opened: dict[str, Any], **order: Any) -> dict[str, Any]:
    """A live order of an account that may trade; `market` is spot or usdm."""
    market = order.pop("market", "spot")
    path = "/api/v3/order" if market == "spot" else "/fapi/v1/order"

    async def send() -> Any:
        client = store.connect(settings.REDIS_URL)
        rest = AccountRest(
            Addresses(exchange.http, exchange.http),
            Credentials("hmac", Secret(opened["apiKey"]), Secret(opened["secretKey"])),
            governors(client),
        )
        try:
            return await rest.change("post", path, **order)
        finally:
            await rest.aclose()
            await client.aclose()

    answer: dict[str, Any] = asyncio.run(send())
    return answer


def connect(user: User, opened: dict[str, Any]) -> ExchangeAccount:
    """The account with its key checked: live."""
    account = connecting.connect(
        user=user,
        label="mine",
        api_key=Secret(opened["apiKey"]),
        secret=Secret(opened["secretKey"]),
    )
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert account.state == "live", account.problem
    return account


def aim(conf: Any, exchange: DemoExchange, folder: Path) -> None:
    """Our addresses lead to the exchange, and keys can be sealed."""
    conf.KEK_DIR = folder / "keys"
    keyring.ensure()
    conf.WEIGHT_BUDGET_PCT = 100_000  # a year of history is more than a minute's weight
    conf.BINANCE_SPOT_API_URL = conf.BINANCE_FUTURES_API_URL = exchange.http
    conf.BINANCE_SPOT_WS_API_URL = conf.BINANCE_FUTURES_STREAM_URL = exchange.ws
