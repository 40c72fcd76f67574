"""One budget for all processes, and silence during a ban."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from django.conf import settings

from market.binance.errors import MustWait
from market.binance.governor import Governor, Limit, ban_seconds
from market.hot import store


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
    assert given.count(True) in (20, 40)  # 500 of weight; 40 when a minute turned


async def test_the_backfill_leaves_room_for_the_living(governor: Governor) -> None:
    await governor.reserve(240, "backfill", patience=0)
    with pytest.raises(MustWait):
        await governor.reserve(25, "backfill", patience=0)
    await governor.reserve(25, "live", patience=0)


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
