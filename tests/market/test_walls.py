"""Where the exchange does not serve this machine: told, asked seldom, and spot's market data go on
over the hosts that serve nothing else."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import redis.asyncio as redis
from django.conf import settings
from django.test import Client

from market.binance.account import AccountRest
from market.binance.errors import MustWait
from market.binance.governor import Governor, Limit, ban_key
from market.binance.rest import SpotRest, UsdmRest
from market.binance.signing import Addresses, no_credentials
from market.binance.stream import MarketStream
from market.binance.walls import is_served_elsewhere, wall_key
from market.hot import store
from market.hot.client import hot_client
from market.selectors import walls
from tests.conftest import RunningSimulator, eventually

WALL = {"code": 451, "open": "localhost", "seconds": 600}


@pytest.fixture
async def hot() -> AsyncIterator[redis.Redis]:
    client = store.connect(settings.REDIS_URL)
    yield client
    await client.aclose()


@pytest.fixture
def elsewhere(simulator: RunningSimulator) -> str:
    return f"http://localhost:{simulator.port}"


@pytest.fixture
async def rest(
    simulator: RunningSimulator, hot: redis.Redis, elsewhere: str
) -> AsyncIterator[SpotRest]:
    other = SpotRest(elsewhere, Governor(hot, Limit(elsewhere, 6000), 80))
    found = SpotRest(simulator.http, Governor(hot, Limit(simulator.http, 6000), 80), other)
    yield found
    await found.close()


async def test_market_data_go_on_elsewhere(simulator: RunningSimulator, rest: SpotRest) -> None:
    before = await rest.newest_trades("BTCUSDT")
    simulator.exchange.faults.start("wall", WALL)
    after = await rest.newest_trades("BTCUSDT")
    assert after[-1].id >= before[-1].id
    assert abs(await rest.measure_clock()) < 60_000
    assert (await rest.book("BTCUSDT")).bids


async def test_the_wall_is_asked_once_and_then_left_alone(
    simulator: RunningSimulator, rest: SpotRest, hot: redis.Redis
) -> None:
    simulator.exchange.faults.start("wall", WALL)
    for _ in range(5):
        await rest.newest_trades("BTCUSDT")
    assert simulator.exchange.faults.counts["wall"] == 1
    left_ms = await hot.pttl(ban_key(simulator.http))
    assert 290_000 < left_ms <= 301_000
    assert 290_000 < await hot.pttl(wall_key(simulator.http)) <= 301_000


async def test_what_is_not_served_elsewhere_waits(
    simulator: RunningSimulator, rest: SpotRest
) -> None:
    simulator.exchange.faults.start("wall", WALL)
    with pytest.raises(MustWait):
        await rest.trades_from("BTCUSDT", 1)
    assert not is_served_elsewhere("/api/v3/historicalTrades")
    assert not is_served_elsewhere("/fapi/v1/klines")


async def test_other_processes_know_of_it_without_asking(
    simulator: RunningSimulator, rest: SpotRest, hot: redis.Redis, elsewhere: str
) -> None:
    simulator.exchange.faults.start("wall", WALL)
    await rest.newest_trades("BTCUSDT")
    addresses = Addresses(simulator.http, simulator.http, elsewhere)
    budgets = {
        "api": Governor(hot, Limit(simulator.http, 6000), 80),
        "data": Governor(hot, Limit(elsewhere, 6000), 80),
    }
    account = AccountRest(addresses, no_credentials(), budgets)
    try:
        listed = await account.read_public("/api/v3/exchangeInfo")
        assert [item["symbol"] for item in listed["symbols"]] == ["BTCUSDT"]
    finally:
        await account.aclose()
    assert simulator.exchange.faults.counts["wall"] == 1


async def test_a_ban_for_weight_is_no_wall(simulator: RunningSimulator, rest: SpotRest) -> None:
    simulator.exchange.faults.start("status", {"code": 418, "path": "/api/v3/*", "seconds": 600})
    for _ in range(2):
        with pytest.raises(MustWait):
            await rest.newest_trades("BTCUSDT")
    assert not await rest.governor.is_walled()


async def test_the_firewall_is_a_wall_when_it_says_no_again_and_again(
    simulator: RunningSimulator, rest: SpotRest
) -> None:
    simulator.exchange.faults.start("wall", {**WALL, "code": 403})
    for _ in range(2):  # perhaps it is only what was asked
        with pytest.raises(MustWait):
            await rest.newest_trades("BTCUSDT")
    assert await rest.newest_trades("BTCUSDT")
    assert await rest.governor.is_walled()


async def test_futures_have_no_other_place(simulator: RunningSimulator, hot: redis.Redis) -> None:
    simulator.exchange.faults.start("wall", WALL)
    rest = UsdmRest(simulator.http, Governor(hot, Limit(f"{simulator.http}/fapi", 2400), 80))
    with pytest.raises(MustWait):
        await rest.measure_clock()
    await rest.close()


async def test_streams_go_elsewhere_and_come_back(simulator: RunningSimulator) -> None:
    path = "/stream?timeUnit=MICROSECOND&streams="
    frames: list[bytes] = []
    simulator.exchange.faults.start("wall", WALL)
    stream = MarketStream(
        f"{simulator.ws}{path}",
        lambda names: None,
        elsewhere=f"ws://localhost:{simulator.port}{path}",
    )
    stream.subscribe({b"btcusdt@trade": frames.append})
    stop = asyncio.Event()
    running = asyncio.create_task(stream.run(stop))
    try:
        await eventually(lambda: bool(frames), what="trades from elsewhere")
        simulator.exchange.faults.active.clear()
        simulator.exchange.faults.start("wall", {**WALL, "open": "nowhere"})
        simulator.sockets.cut()
        seen = len(frames)
        simulator.exchange.faults.active.clear()
        await eventually(lambda: len(frames) > seen, what="trades again")
    finally:
        stop.set()
        await running


async def test_the_simulators_wall_stands_before_everything_else(
    simulator: RunningSimulator, elsewhere: str
) -> None:
    simulator.exchange.faults.start("wall", WALL)
    async with aiohttp.ClientSession() as session:
        for address, status in (
            (f"{simulator.http}/api/v3/time", 451),
            (f"{simulator.http}/fapi/v1/time", 451),
            (f"{elsewhere}/api/v3/time", 200),
            (f"{elsewhere}/api/v3/historicalTrades?symbol=BTCUSDT", 404),
            (f"{elsewhere}/fapi/v1/time", 404),
        ):
            async with session.get(address) as answer:
                assert answer.status == status, address


@pytest.mark.django_db
def test_every_page_says_so_in_one_sentence(alices_browser: Client) -> None:
    sentence = "Binance does not serve this server"
    assert sentence not in alices_browser.get("/account/security/").content.decode()
    hot_client().set(wall_key(settings.BINANCE_SPOT_API_URL), "Binance answered 451", ex=60)
    walls.forget()
    assert sentence in alices_browser.get("/account/security/").content.decode()
    assert sentence not in Client().get("/accounts/login/").content.decode()
