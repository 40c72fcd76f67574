"""One budget for all processes, and silence during a ban."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import pytest
import redis
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connections
from django.test import AsyncClient

from market.archive import bans
from market.binance.breaker import FAILURES, FIRST_PAUSE, Breaker
from market.binance.errors import MustWait, TryAgain
from market.binance.governor import (
    FLOORS,
    Governor,
    Limit,
    ban_seconds,
    clock_key,
    count_key,
)
from market.binance.rest import SpotRest
from market.hot import keys, store
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting


@pytest.fixture
async def governor() -> AsyncIterator[Governor]:
    client = store.connect(settings.REDIS_URL)
    yield Governor(client, Limit("test", 1000), budget_pct=50)
    await client.aclose()


async def test_no_more_than_the_budget_is_given_however_many_ask(governor: Governor) -> None:
    async def ask() -> bool:
        try:
            await governor.reserve(25, "live", patience=0)
        except MustWait:
            return False
        return True

    given = await asyncio.gather(*(ask() for _ in range(60)))
    # 500 of weight, of which three tenths are others' for sure; twice as many when a minute turned
    assert given.count(True) in (14, 28)


async def test_the_backfill_leaves_room_for_the_living(governor: Governor) -> None:
    await governor.reserve(240, "backfill", patience=0)
    with pytest.raises(MustWait):
        await governor.reserve(25, "backfill", patience=0)
    await governor.reserve(25, "live", patience=0)


async def test_what_is_heavy_books_its_place_in_the_next_minute(
    governor: Governor, empty_redis: redis.Redis
) -> None:
    def turn_the_minute() -> None:
        client: Any = empty_redis
        [booked] = client.keys("*:booked")
        seconds, _micros = client.time()
        prefix, minute = count_key("test"), seconds // 60
        assert booked.decode() in {f"{prefix}{minute + late}:booked" for late in (0, 1)}
        client.rename(booked, f"{prefix}{minute}:booked")
        client.delete(f"{prefix}{minute}", f"{prefix}{minute}:kinds")

    await governor.reserve(170, "candles", patience=0)
    with pytest.raises(MustWait):
        await governor.reserve(250, "file", patience=0)
    turn_the_minute()
    await governor.reserve(100, "candles", patience=0)
    with pytest.raises(MustWait):  # 500 less 250, and a fifth for whom there is always room
        await governor.reserve(60, "candles", patience=0)
    await governor.reserve(20, "live", patience=0)
    await governor.reserve(220, "file", patience=0)
    assert empty_redis.keys("*:booked") == []
    await governor.reserve(10, "account", patience=0)


async def test_the_exchanges_own_count_holds(governor: Governor) -> None:
    await governor.true_up(490)
    with pytest.raises(MustWait):
        await governor.reserve(25, "live", patience=0)


async def test_nobody_calls_during_a_ban(governor: Governor) -> None:
    await governor.ban(30)
    with pytest.raises(MustWait) as waiting:
        await governor.reserve(1, "live", patience=0)
    assert 25 < waiting.value.seconds <= 30


def test_a_ban_lasts_as_long_as_the_exchange_says() -> None:
    assert ban_seconds(429, "45", "") >= 45
    assert ban_seconds(418, None, "") == 120
    until = int((time.time() + 300) * 1000)
    said = f"Way too much request weight used; IP banned until {until}."
    assert 298 < ban_seconds(418, "0", said) <= 300


async def test_a_longer_ban_stays(governor: Governor) -> None:
    await governor.forbid(60)
    await governor.forbid(5)
    with pytest.raises(MustWait) as waiting:
        await governor.reserve(1, "live", patience=0)
    assert waiting.value.seconds > 50


def test_a_breaker_opens_after_failures_and_one_success_closes_it() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES - 1):
        breaker.failed()
        breaker.check()
    breaker.failed()
    with pytest.raises(TryAgain, match="keeps failing"):
        breaker.check()
    now[0] += FIRST_PAUSE
    breaker.check()  # one call decides
    breaker.failed()
    now[0] += FIRST_PAUSE
    assert breaker.is_open  # twice as long now
    now[0] += FIRST_PAUSE
    breaker.succeeded()
    breaker.failed()
    breaker.check()


async def test_eight_at_95_percent_of_the_budget_never_see_429(simulator: RunningSimulator) -> None:
    clients = [store.connect(settings.REDIS_URL) for _ in range(8)]
    rests = [
        SpotRest(simulator.http, Governor(client, Limit(simulator.http, 6000), 95))
        for client in clients
    ]

    async def hammer(rest: SpotRest) -> int:
        calls = 0
        while True:
            try:
                await asyncio.wait_for(rest.newest_trades("BTCUSDT"), 4)
                calls += 1
            except (MustWait, TimeoutError):
                return calls

    for rest in rests:  # nobody waits for the next minute here
        rest.governor.reserve = partial(_impatient, rest.governor.reserve)  # type: ignore[method-assign]
    calls = sum(await asyncio.gather(*map(hammer, rests)))
    # all of the budget but for what is others' for sure, in one minute or two
    assert calls * 25 >= 0.95 * 6000 * (1 - sum(FLOORS.values())) - 25
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.http}/api/v3/ping") as answer,
    ):
        assert answer.status == 200  # the exchange never had to refuse
        assert int(answer.headers["X-MBX-USED-WEIGHT-1M"]) <= 6000
    for rest, client in zip(rests, clients, strict=True):
        await rest.close()
        await client.aclose()


async def _impatient(reserve: Any, weight: int, kind: str, patience: float) -> None:
    await reserve(weight, kind, patience=0)


async def test_the_clock_is_measured_and_kept(simulator: RunningSimulator) -> None:
    client = store.connect(settings.REDIS_URL)
    rest = SpotRest(simulator.http, Governor(client, Limit(simulator.http, 6000), 80))
    simulator.exchange.faults.start("clock", {"ms": 5000})
    assert 4500 < await rest.measure_clock() < 5500
    assert 4500 < int(await client.get(clock_key(simulator.http))) < 5500
    await rest.close()
    await client.aclose()


@pytest.mark.django_db
def test_bans_are_remembered_and_the_longer_one_counts() -> None:
    assert bans.seconds_left("host") == 0
    bans.remember("host", 100)
    bans.remember("host", 5)
    assert 95 < bans.seconds_left("host") <= 100
    assert bans.seconds_left("another") == 0


@pytest.mark.django_db(transaction=True)
async def test_a_ban_outlives_a_wiped_redis(
    simulator: RunningSimulator, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    await database_sync_to_async(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        await collector.outside.rest.governor.ban(60)
        empty_redis.flushdb()
        await collector.restore_ban_once()
        another = Governor(collector.outside.hot.client, Limit(simulator.http, 6000), 80)
        with pytest.raises(MustWait):
            await another.reserve(1, "live", patience=0)


@pytest.mark.django_db(transaction=True)
async def test_metrics_say_how_the_tapes_stand(
    simulator: RunningSimulator,
    make_instrument: MakeInstrument,
    async_client: AsyncClient,
    empty_redis: redis.Redis,
) -> None:
    client: Any = empty_redis
    await database_sync_to_async(make_instrument)("BTCUSDT")
    async with collecting(simulator.http, simulator.ws):
        await eventually(
            lambda: int(client.hget(keys.state(KEY), "covered_to") or 0) > 0,
            what="a tape in Redis",
        )
        text = (await async_client.get("/metrics")).content.decode()
        await database_sync_to_async(connections.close_all)()  # of the view's thread
    assert 'tapelog_tape_lag_seconds{market="spot",symbol="BTCUSDT"}' in text
    assert 'tapelog_share_held{share="simulator:spot:all"} 1.0' in text
    assert "tapelog_ban_seconds 0.0" in text
