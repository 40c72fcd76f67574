"""Shares: stable homes, as many as there are workers, moved without an uncovered second."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.utils import timezone
from redis.asyncio import Redis

from market.binance.governor import Governor, Limit
from market.binance.rest import SpotRest
from market.collector import shares
from market.collector.collector import Collector
from market.collector.tapes import Outside
from market.hot import store
from market.instruments import InstrumentKey
from market.jobs import lease
from market.models import CollectorWorker
from tests.conftest import MakeInstrument, RunningSimulator, eventually

SYMBOLS = ["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT", "FFFUSDT"]
KEYS = [InstrumentKey("simulator", "spot", symbol) for symbol in SYMBOLS]


def test_an_instrument_moves_only_to_a_new_share() -> None:
    many = [InstrumentKey("simulator", "spot", f"S{n}USDT") for n in range(400)]
    for count in (1, 2, 3, 7):
        for key in many:
            before, after = shares.home_of(key, count), shares.home_of(key, count + 1)
            assert after in {before, count}
    moved = sum(shares.home_of(key, 3) != shares.home_of(key, 4) for key in many)
    assert 60 < moved < 140  # a quarter


@pytest.mark.parametrize(
    ("instruments", "workers", "count"),
    [(0, 0, 1), (1, 3, 1), (5, 2, 2), (5, 9, 5), (250, 1, 3), (250, 5, 5)],
)
def test_there_are_as_many_shares_as_workers_need(
    instruments: int, workers: int, count: int
) -> None:
    assert shares.count_shares(instruments, workers) == count


@pytest.mark.django_db
def test_every_instrument_has_one_home_and_a_standby(
    make_instrument: MakeInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    for symbol in SYMBOLS:
        make_instrument(symbol)
    for worker in ("one", "two", "three"):
        shares.beat(worker)
    names = shares.names()
    assert names == [f"simulator:spot:{index}" for index in range(3)]
    kept = [item.key for name in names for item in shares.members(name, ())]
    assert sorted(kept) == sorted(KEYS)
    monkeypatch.setattr(settings, "COLLECTOR_STANDBY", True)
    assert len(shares.names()) == 6
    assert shares.members(f"{names[1]}:standby", ()) == shares.members(names[1], ())


@pytest.mark.django_db
def test_a_worker_that_is_silent_is_not_counted(make_instrument: MakeInstrument) -> None:
    for symbol in SYMBOLS:
        make_instrument(symbol)
    shares.beat("one")
    shares.beat("two")
    assert (shares.count_workers(), shares.quota()) == (2, 1)
    CollectorWorker.objects.filter(name="two").update(until=timezone.now() - timedelta(seconds=1))
    assert (shares.count_workers(), len(shares.names())) == (1, 1)
    shares.leave("one")
    assert shares.count_workers() == 0


@pytest.mark.django_db
def test_what_moves_is_kept_until_its_new_home_is_held(make_instrument: MakeInstrument) -> None:
    for symbol in SYMBOLS:
        make_instrument(symbol)
    shares.beat("one")
    shares.beat("two")
    assert {i.key for i in shares.members("simulator:spot:0", KEYS)} == set(KEYS)
    assert lease.acquire("simulator:spot:1", "somebody")
    kept = {i.key for i in shares.members("simulator:spot:0", KEYS)}
    assert kept == {key for key in KEYS if shares.home_of(key, 2) == 0}


@pytest.fixture
def two_symbols(make_instrument: MakeInstrument) -> Iterator[None]:
    make_instrument("BTCUSDT")
    make_instrument("ETHUSDT")
    yield


def collector_of(simulator: RunningSimulator, share: str, client: Redis) -> Collector:
    outside = Outside(
        store.HotStore(client),
        SpotRest(simulator.http, Governor(client, Limit(simulator.http, 60_000), 100)),
        simulator.ws,
        lambda having: shares.members(share, having),
        ends_empty=not shares.is_first(share),
    )
    return Collector(share, f"holder of {share}", outside)


@pytest.mark.django_db(transaction=True)
async def test_a_second_worker_takes_its_part_and_gives_it_back(
    simulator: RunningSimulator, two_symbols: None
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=3, pace=5.0)
    count = 2
    homes = {
        s: shares.home_of(InstrumentKey("simulator", "spot", s), count)
        for s in ("BTCUSDT", "ETHUSDT")
    }
    moving = [symbol for symbol, home in homes.items() if home == 1]
    client = store.connect(settings.REDIS_URL)
    await in_database(shares.beat)("one")
    first = collector_of(simulator, "simulator:spot:0", client)
    await in_database(lease.acquire)(first.share, first.holder)
    running = asyncio.create_task(first.run())
    await eventually(lambda: len(first.tapes) == 2, 10)
    await in_database(shares.beat)("two")
    second = collector_of(simulator, "simulator:spot:1", client)
    await in_database(lease.acquire)(second.share, second.holder)
    also_running = asyncio.create_task(second.run())
    await eventually(lambda: {k.symbol for k in second.tapes} == set(moving), 10, "the move")
    await eventually(lambda: not {k.symbol for k in first.tapes} & set(moving), 10, "the hand-over")
    await in_database(shares.leave)("two")
    await eventually(lambda: len(first.tapes) == 2 or running.done(), 15, "everything is back")
    if moving:
        await eventually(also_running.done, 15, "the empty share ends")
    for collector, task in ((first, running), (second, also_running)):
        collector.stop.set()
        await asyncio.wait_for(task, 60)
    await client.aclose()
