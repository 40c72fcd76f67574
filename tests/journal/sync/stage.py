"""A simulator with the demo's year, in a thread, and its account connected."""

import asyncio
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from aiohttp import web
from django.conf import settings

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from accounts.vault import keyring
from lib.secret import Secret
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.signing import Addresses, Credentials
from market.hot import store
from simulator import limits
from simulator.app import Options, make_app
from simulator.exchange import Exchange
from simulator.sources.walk import DAY_MS, DAYS, Walks
from tests.accounts.exchange import AccountExchange

SPOT = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
USDM = ("BTCUSDT", "ETHUSDT")


class DemoExchange(AccountExchange):
    """With a year behind it and a demo that traded in it, which takes seconds to make up, or only
    with one of them; and without a limit of weight: a year is more than a minute's."""

    symbols: ClassVar[dict[str, tuple[str, ...]]] = {"spot": SPOT, "usdm": USDM}

    def __init__(self, *, has_demo: bool = True, has_past: bool = False) -> None:
        super().__init__()
        self.has_demo, self.has_past = has_demo, has_past

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def make_app(self, exchange: Exchange) -> web.Application:
        if self.has_past:
            first = int(time.time() * 1000) // DAY_MS * DAY_MS - DAYS * DAY_MS
            exchange.go_on_from(Walks(1, first))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("spot", "usdm"):
                patch.setitem(limits.WEIGHT_A_MINUTE, name, 10_000_000)
            return make_app(exchange, Options(has_demo=self.has_demo))

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
        found: dict[str, Any] = self.post("/simulator/accounts", permissions=allowed, **more)
        for market, asset, amount in (
            ("spot", "USDT", "50000"),
            ("spot", "BNB", "5"),
            ("usdm", "USDT", "20000"),
        ):
            self.ask(
                "POST",
                f"/simulator/accounts/{found['uid']}/move",
                market=market,
                asset=asset,
                amount=amount,
            )
        return found

    def fault(self, kind: str, /, **more: Any) -> None:
        self.ask("POST", f"/simulator/faults/{kind}", **more)

    def end_faults(self) -> None:
        """Their time is over."""

        async def work() -> None:
            self._bank.faults.active.clear()

        asyncio.run_coroutine_threadsafe(work(), self._loop).result(20)

    def truth(self, uid: int) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/simulator/accounts/{uid}/truth")
        return found


def trade(exchange: DemoExchange, opened: dict[str, Any], **order: Any) -> dict[str, Any]:
    """A live order of an account that may trade; `market` is spot or usdm."""
    market = order.pop("market", "spot")
    path = "/api/v3/order" if market == "spot" else "/fapi/v1/order"
    return change(exchange, opened, "post", path, **order)


def change(
    exchange: DemoExchange,
    opened: dict[str, Any],
    method: Literal["post", "put", "delete"],
    path: str,
    **params: Any,
) -> dict[str, Any]:
    """Anything that an owner may do."""

    async def send() -> Any:
        client = store.connect(settings.REDIS_URL)
        rest = AccountRest(
            Addresses(exchange.http, exchange.http),
            Credentials("hmac", Secret(opened["apiKey"]), Secret(opened["secretKey"])),
            governors(client),
        )
        try:
            return await rest.change(method, path, **params)
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
