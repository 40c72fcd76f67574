"""Bars leave Redis when PostgreSQL is proven to have them, whatever happens between two lines."""

import asyncio
import random

import pytest
import redis
from django.conf import settings

from market.archive import seconds as archive
from market.collector.rebuild import Place
from market.collector.trim import trim
from market.flow.bands import USD
from market.flow.bars import Bar
from market.hot import keys, store
from market.hot.codec import bar_fields
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.selectors.reading import read_hot
from tests import lines
from tests.conftest import KEY, MakeInstrument
from tests.market.test_rollups import START, second

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def instrument(make_instrument: MakeInstrument) -> Instrument:
    return make_instrument("BTCUSDT")


def put(client: redis.Redis, *bars: Bar) -> None:
    for bar in bars:
        client.hset(keys.bar(KEY, "1s", bar.time), mapping=bar_fields(bar))
        client.zadd(keys.bars(KEY, "1s"), {str(bar.time): bar.time})


def trimmed(instrument: Instrument) -> int:
    async def run() -> int:
        client, database = store.connect(settings.REDIS_URL), DatabaseThread()
        try:
            place = Place(KEY, instrument.pk, USD, store.HotStore(client), database)
            return await trim(place, "1s", START + 3600)
        finally:
            database.close()
            await client.aclose()

    return asyncio.run(run())


def hot(instrument: Instrument) -> dict[int, Bar]:
    return read_hot(KEY, "1s", START, START + 3600)[1]


def test_a_trim_killed_on_any_line_loses_nothing(
    instrument: Instrument, empty_redis: redis.Redis
) -> None:
    bars = [second(START + n, 1 + 9 * n, random.Random(1)) for n in range(5)]
    archive.save(instrument.pk, "usd-1", bars, None)

    def work() -> None:
        put(empty_redis, *bars)
        trimmed(instrument)

    count = 0
    for count in lines.each_line("collector/trim", lines.kill, work):  # noqa: B007
        saved = archive.load(instrument.pk, START, START + 3600)
        assert [bar.flow() for bar in saved.values()] == [bar.flow() for bar in bars]
        trimmed(instrument)
        assert hot(instrument) == {}
    assert count > 10


def test_a_bar_that_changes_on_any_line_of_a_trim_is_never_lost(
    instrument: Instrument, empty_redis: redis.Redis
) -> None:
    bars = [second(START + n, 1 + 9 * n, random.Random(2)) for n in range(5)]
    revision = 0

    def change() -> None:
        """A live writer or a rebuild; PostgreSQL gets it later."""
        put(empty_redis, second(START + 2, 19, random.Random(3), revision))

    def work() -> None:
        nonlocal revision
        revision += 1
        archive.save(instrument.pk, "usd-1", bars, None)
        put(empty_redis, *bars)
        trimmed(instrument)

    count = 0
    for count in lines.each_line("collector/trim", change, work):  # noqa: B007
        newest = hot(instrument).get(START + 2)
        saved = archive.load(instrument.pk, START, START + 3600)[START + 2]
        assert revision in {newest.revision if newest else None, saved.revision}
        empty_redis.flushdb()
        archive.save(instrument.pk, "usd-1", [], None, gone=[bar.time for bar in bars])
    assert count > 10
