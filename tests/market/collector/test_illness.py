"""One ill tape, gap, row or class of calls, and the others that go on beside it."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async as in_database
from django.db import OperationalError

from market.binance.errors import MustWait, Refused, TryAgain
from market.collector.care import Care
from market.collector.pauses import Pauses
from market.collector.rebuild import Behind
from market.collector.watch import CLAMP_MS, Watch
from market.hot import keys
from market.hot.codec import GapRecord, encode_gap
from market.instruments import InstrumentKey
from market.models import Gap, Trouble
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting

ILL = InstrumentKey("simulator", "spot", "ETHUSDT")
GONE = Refused(-1121, "Invalid symbol.")


def test_pauses_grow_by_what_was_answered() -> None:
    now = [0.0]
    pauses = Pauses(lambda: now[0])
    assert [pauses.failed("gone", GONE) for _ in range(10)][:4] == [60, 120, 240, 480]
    assert pauses.left("gone") == 4 * 3600
    assert [pauses.failed("no", Refused(-1100, "")) for _ in range(11)][-1] == 3600
    assert [pauses.failed("again", TryAgain("")) for _ in range(8)][-1] == 60
    assert [pauses.failed("lags", Behind("")) for _ in range(8)][-1] == 30
    assert pauses.failed("full", MustWait(7, "")) == pauses.failed("full", MustWait(7, "")) == 7
    assert not pauses.is_paused("another")
    now[0] = 8
    assert (pauses.is_paused("full"), pauses.is_paused("gone")) == (False, True)
    pauses.succeeded("gone")
    assert not pauses.is_paused("gone")


def tape_of(number: int) -> Any:
    return SimpleNamespace(followed=SimpleNamespace(id=number, key=f"tape {number}"))


async def test_an_ill_tape_is_left_alone_told_and_the_others_are_done() -> None:
    care, done = Care(), []

    async def step(tape: Any) -> None:
        done.append(tape.followed.id)
        if tape.followed.id == 1:
            raise KeyError("odd")

    tapes = [tape_of(1), tape_of(2), tape_of(3)]
    await care.each("audit", tapes, step)
    await care.each("audit", tapes, step)
    assert sorted(done) == [1, 2, 2, 3, 3]
    [news] = care.take_news()
    assert (news.instrument_id, news.kind, news.text) == (1, "parked", "audit: KeyError: 'odd'")
    care.succeeded(tapes[0], "audit")
    assert [item.text for item in care.take_news()] == [""]


async def test_another_tape_begins_each_round() -> None:
    care, first = Care(), []

    async def step(tape: Any) -> None:
        first.append(tape.followed.id)

    for _ in range(3):
        await care.each("audit", [tape_of(n) for n in range(3)], step)
    assert set(first[::3]) == {0, 1, 2}


async def test_a_store_that_is_away_is_nobodys_fault() -> None:
    async def step(tape: Any) -> None:
        raise OperationalError("gone")

    care = Care()
    with pytest.raises(OperationalError):
        await care.each("saving", [tape_of(1), tape_of(2)], step)
    assert care.take_news() == []
    assert not care.pauses.is_paused(("saving", 1))


async def keep_gap(client: redis.Redis, key: InstrumentKey, tape: Any, first_id: int) -> None:
    """Say of three ids that they are missing."""
    ended = tape.writer.covered_to - 20_000
    gap = GapRecord(first_id, first_id + 2, ended - 1000, ended, "a test", "open")
    client.hset(keys.gaps(key), str(first_id), encode_gap(gap).decode())


async def begun(collector: Any, count: int) -> None:
    await eventually(lambda: len(collector.tapes) == count, 20)
    await eventually(
        lambda: all(
            (t.writer.cursor.last_id or 0) > 1_000_100 and t.writer.covered_to > 0
            for t in collector.tapes.values()
        ),
        30,
    )


@pytest.mark.django_db(transaction=True)
async def test_what_is_refused_of_one_tape_is_asked_seldom_and_the_others_are_filled(
    simulator: RunningSimulator, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=8, pace=10.0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await in_database(make_instrument)(symbol)
    async with collecting(simulator.http, simulator.ws) as collector:
        await begun(collector, 2)
        rest: Any = collector.outside.rest
        real, asked = rest.trades_from, []

        async def trades_from(symbol: str, first_id: int, kind: str = "live") -> Any:
            if symbol == "ETHUSDT":
                asked.append(first_id)
                raise GONE
            found = await real(symbol, first_id, kind)
            for trade in found:  # what REST would leave out
                if trade.id == 1_000_021:
                    rest.unreadable[symbol, "1000021"] = "rows of trades: 9 places"
            return [trade for trade in found if trade.id != 1_000_021]

        rest.trades_from = trades_from
        await keep_gap(empty_redis, ILL, collector.tapes[ILL], 1_000_020)
        await keep_gap(empty_redis, KEY, collector.tapes[KEY], 1_000_020)

        def is_told() -> bool:
            return Gap.objects.count() == 3 and Trouble.objects.count() == 2

        await eventually(in_database(is_told), 30, "the gaps and the troubles")
        await collector.chores.rebuild_once()
        await collector.chores.rebuild_once()
    assert len(asked) == 1
    rows = Gap.objects.filter(instrument__symbol="BTCUSDT").order_by("first_id")
    found = await in_database(lambda: list(rows.values_list("first_id", "state")))()
    assert found == [
        (1_000_020, "filled"),
        (1_000_021, "unfillable"),
        (1_000_022, "filled"),
    ]
    told = await in_database(
        lambda: set(Trouble.objects.values_list("instrument__symbol", "kind", "key"))
    )()
    assert told == {("BTCUSDT", "row", "1000021"), ("ETHUSDT", "refused", "gap 1000020")}


@pytest.mark.django_db(transaction=True)
async def test_a_tape_with_an_odd_state_is_parked_and_comes_back(
    simulator: RunningSimulator, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=8, pace=10.0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await in_database(make_instrument)(symbol)
    async with collecting(simulator.http, simulator.ws) as collector:
        await begun(collector, 2)
        await collector.chores.save_once()
        ill, well = collector.tapes[ILL], collector.tapes[KEY]
        empty_redis.hset(keys.state(ILL), mapping={"revision": "999", "last_id": "odd"})
        await eventually(lambda: ill.is_parked, 20)
        await collector.chores.tell_troubles_once()
        told = await in_database(Trouble.objects.get)()
        assert told.text.startswith("collecting: ValueError")
        before = well.writer.cursor.last_id or 0
        await eventually(lambda: (well.writer.cursor.last_id or 0) > before + 50, 20)
        assert not well.is_parked
        empty_redis.delete(keys.state(ILL))  # somebody mends it
        ill.parked_until = 1.0
        missed = ill.writer.cursor.last_id or 0
        await eventually(lambda: (ill.writer.cursor.last_id or 0) > missed + 50, 30)
        await eventually(lambda: not ill.writer.cursor.waiting and ill.is_verified, 20)
        await collector.chores.tell_troubles_once()
        assert not await in_database(Trouble.objects.exists)()


@pytest.mark.django_db(transaction=True)
async def test_a_key_of_another_kind_parks_its_tape_alone(
    simulator: RunningSimulator, make_instrument: MakeInstrument, empty_redis: redis.Redis
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=8, pace=10.0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await in_database(make_instrument)(symbol)
    empty_redis.set(keys.state(ILL), "not a hash")
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: KEY in collector.tapes, 20)
        well = collector.tapes[KEY]
        await eventually(lambda: (well.writer.cursor.last_id or 0) > 1_000_100, 30)
        assert ILL not in collector.tapes
        assert (await in_database(Trouble.objects.get)()).text.startswith(
            "beginning: ResponseError"
        )


@pytest.mark.django_db(transaction=True)
async def test_a_symbol_that_is_not_known_any_more_is_checked_seldom_and_told(
    simulator: RunningSimulator, make_instrument: MakeInstrument
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=8, pace=10.0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await in_database(make_instrument)(symbol)
    async with collecting(simulator.http, simulator.ws) as collector:
        await begun(collector, 2)
        rest: Any = collector.outside.rest
        real, asked = rest.newest_trades, 0

        async def newest_trades(symbol: str, kind: str = "live") -> Any:
            nonlocal asked
            if symbol == "ETHUSDT":
                asked += 1
                raise GONE
            return await real(symbol, kind)

        rest.newest_trades = newest_trades
        ill, well = collector.tapes[ILL], collector.tapes[KEY]
        ill.is_verified = well.is_verified = False
        ill.checked_at = well.checked_at = 0.0
        await eventually(lambda: well.is_verified and asked == 1, 20)
        ill.checked_at = 0.0
        covered = well.writer.covered_to
        await eventually(lambda: well.writer.covered_to > covered + 2000, 20)
        assert asked == 1
        await collector.chores.tell_troubles_once()
        told = await in_database(Trouble.objects.get)()
        assert told.text == "newest trades: Binance said -1121: Invalid symbol."


def test_a_clock_that_is_set_covers_nothing_that_has_not_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody: Any = None
    heard: Any = SimpleNamespace(is_heard=lambda name: True)
    looking = Watch(nobody, heard, nobody, asyncio.Event())
    tape: Any = SimpleNamespace(
        followed=SimpleNamespace(key=KEY, id=1),
        streams=SimpleNamespace(trades=b""),
        seen_id=1,
        moved_at=time.monotonic(),
        heard_at=0.0,
        silent_checks=0,
        is_verified=True,
        checked_at=time.monotonic(),
        checking=None,
        verified_ms=0,
        writer=SimpleNamespace(
            has_begun=True, cursor=SimpleNamespace(last_id=1, waiting={}), inbox=[], covered_to=0
        ),
    )
    event_ms = int(time.time() * 1000)
    looking.hear(tape, event_ms)
    looking.read_clock()
    looking.cover(tape)
    assert event_ms - 300 < tape.writer.covered_to <= event_ms
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    looking.cover(tape)
    assert tape.writer.covered_to < event_ms + 1000
    real_monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real_monotonic() + 3600)
    tape.heard_at = tape.moved_at = time.monotonic()
    looking.cover(tape)
    assert tape.writer.covered_to <= event_ms + CLAMP_MS
