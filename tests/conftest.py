"""The cast and the stage: alice (owner), bob (another user with data), charlie (a stranger to
both), real PostgreSQL and Redis, and the exchange as a simulator on a real socket."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import hypothesis
import pytest
import redis
from aiohttp import web
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from accounts.services.tokens import issue_token
from market.flow.bands import bands_for
from market.instruments import InstrumentKey, split_symbol
from market.live import topics
from market.models import Instrument
from market.selectors import overview, walls
from simulator.app import SOCKETS, make_app
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.sockets import Sockets
from tests import emptying
from tests.signing_in import sign_in

# A slow machine is no counterexample.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")


def pytest_configure() -> None:
    emptying.install()
    if os.environ.get("IS_MIGRATED") == "1":
        mine = settings.DATABASES["default"]
        mine.setdefault("TEST", {})["TEMPLATE"] = mine["NAME"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes comes first, one after the other in one worker: the rest of its share is
    stolen by the others meanwhile, and in the end nobody waits for it."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: not to look at it each time, and to look seldom, spares
    a twelfth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def empty_redis() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    overview.forget()
    walls.forget()
    topics.forget()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def english() -> None:
    """A request leaves its language and its zone in the thread; no test begins with those of the
    one before."""
    translation.activate(settings.LANGUAGE_CODE)
    timezone.deactivate()


@pytest.fixture
def as_often_as_wished(settings: Any) -> None:
    """For who tries hundreds of doors: an answer that it was too often would tell nothing."""
    settings.RATES = dict.fromkeys(settings.RATES, 1_000_000)


@cache
def _hashed(password: str) -> str:
    """A password's hash takes a fifth of a second, which nobody needs twice."""
    return make_password(password)


def _user(name: str) -> User:
    password = _hashed(f"{name}-secret-1")
    return User.objects.create(username=name, email=f"{name}@example.org", password=password)


@pytest.fixture
def alice(db: None) -> User:
    return _user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return _user("bob")


@pytest.fixture
def charlie(db: None) -> User:
    return _user("charlie")


@pytest.fixture
def alices_browser(alice: User, client: Client) -> Client:
    return sign_in(client, alice)


@pytest.fixture
def alices_token(alice: User) -> dict[str, str]:
    """Keyword arguments of the test client for a request with alice's token."""
    return {"HTTP_AUTHORIZATION": f"Token {issue_token(user=alice)}"}


MakeInstrument = Callable[..., Instrument]


@pytest.fixture
def make_instrument(db: None) -> Iterator[MakeInstrument]:
    def make(
        symbol: str = "BTCUSDT", *, is_followed: bool = True, market: str = "spot"
    ) -> Instrument:
        base, quote = split_symbol(symbol)
        return Instrument.objects.create(
            venue="simulator",
            market=market,
            symbol=symbol,
            base_asset=base,
            quote_asset=quote,
            band_set=bands_for(quote).id,
            is_followed=is_followed,
            is_pinned=is_followed,
        )

    yield make
    if connection.in_atomic_block:
        return  # what the test wrote is rolled back
    with connection.cursor() as cursor:  # Django does not know the partitioned table
        for name in ("second", "minute", "hour", "day"):
            cursor.execute(f"TRUNCATE market_{name}_bar")


@dataclass
class RunningSimulator:
    exchange: Exchange
    port: int
    sockets: Sockets

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    """A generated BTCUSDT market, fast, without faults, on a port of its own."""
    exchange = Exchange(Faults(), rest_lag_ms=50)
    exchange.list_generated("BTCUSDT", None, seed=7, pace=10.0)
    app = make_app(exchange)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield RunningSimulator(exchange, port, app[SOCKETS])
    await runner.cleanup()


KEY = InstrumentKey("simulator", "spot", "BTCUSDT")


PATIENCE, LONGEST_WAIT = 4, 100


async def eventually(
    claim: Callable[[], bool | Awaitable[bool]], seconds: float = 20.0, what: str = "the claim"
) -> None:
    """Wait until something becomes true; fails with what was awaited. `seconds` is what an idle
    machine needs with ease; a busy one is given more."""
    try:
        async with asyncio.timeout(max(seconds, min(seconds * PATIENCE, LONGEST_WAIT))):
            while not await _holds(claim):
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"not within {seconds} s: {what}")


async def _holds(claim: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = claim()
    return await answer if isinstance(answer, Awaitable) else answer


async def traded(
    simulator: RunningSimulator, count: int = 1, market: str = "spot", symbol: str = "BTCUSDT"
) -> int:
    """Wait until a market has made so many trades more; returns the newest one's id."""
    tape = simulator.exchange.markets[market].listed[symbol].symbol.tape
    last_id = tape.last_id + count
    await eventually(lambda: tape.last_id >= last_id, what=f"{count} more trades of {symbol}")
    return tape.last_id


async def told_by_rest(
    simulator: RunningSimulator, trade_id: int, market: str = "spot", symbol: str = "BTCUSDT"
) -> None:
    """Wait until REST's database, which lags the streams, knows a trade."""
    exchange = simulator.exchange
    listed = exchange.markets[market].listed[symbol].symbol
    await eventually(
        lambda: listed.visible_id(exchange.now(), exchange.lag_us()) >= trade_id,
        what=f"trade {trade_id} of {symbol} by REST",
    )
