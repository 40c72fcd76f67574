"""The collector against the simulator: faults, holes, stores that lose what they had."""

import time
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
import redis
from channels.db import database_sync_to_async as in_database

from market.collector.collector import Collector
from market.collector.rebuild import close
from market.collector.trim import trim
from market.flow.bars import Bar
from market.hot import tally
from market.hot.codec import GapRecord
from market.models import CollectorLease, Gap, Instrument, SecondBar, TapeState
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually, traded
from tests.market.collector.stage import begun, collected, collecting, gaps_closed, struck

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


@pytest.fixture
async def instrument(make_instrument: MakeInstrument) -> Instrument:
    made: Instrument = await in_database(make_instrument)("BTCUSDT")
    return made


async def truth(simulator: RunningSimulator) -> dict[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.http}/simulator/truth?symbol=BTCUSDT") as answer,
    ):
        return {int(start) // 1000: sums for start, sums in (await answer.json()).items()}


async def caught_up(simulator: RunningSimulator, collector: Collector) -> None:
    """The market stands still and everything has arrived."""
    symbol = simulator.exchange.symbols["BTCUSDT"]
    symbol.source.is_halted = True  # type: ignore[attr-defined]
    last_id = symbol.tape.last_id

    def is_there() -> bool:
        writers = [tape.writer for tape in collector.tapes.values()]
        return bool(writers) and all(
            w.cursor.last_id == last_id and not w.is_dirty for w in writers
        )

    simulator.exchange.faults.change({"drop": 0, "double": 0, "swap": 0, "cut_every": 0})
    await eventually(is_there, 30, f"id {last_id}")
    [tape] = collector.tapes.values()
    await gaps_closed(tape)


async def check_bars(simulator: RunningSimulator, collector: Collector) -> None:
    [tape] = collector.tapes.values()
    bars = await tape.place.hot.bars(KEY, "1m", 0, 2**40)
    expected = await truth(simulator)
    assert sorted(bars) == sorted(expected)
    for start, bar in bars.items():
        sums = expected[start]
        assert (bar.trades, bar.first_id, bar.last_id) == (
            sums["trades"],
            sums["first_id"],
            sums["last_id"],
        )
        check_bands(bar, sums)


def check_bands(bar: Bar, sums: dict[str, Any]) -> None:
    for unit, flat in (("trade", bar.trade), ("order", bar.order)):
        for index, band in enumerate(sums[unit].values()):
            assert Decimal(flat[index]) / 10**16 == Decimal(band["buy"])
            assert Decimal(flat[6 + index]) / 10**16 == Decimal(band["sell"])
            assert flat[12 + index] == band["count"]


async def test_faults_change_nothing(simulator: RunningSimulator, instrument: Instrument) -> None:
    simulator.exchange.faults.change({"drop": 0.03, "double": 0.05, "swap": 0.05, "cut_every": 2})
    async with collecting(simulator.http, simulator.ws) as collector:
        await struck(simulator, drop=20, double=30, swap=30, cut=2)
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
    tally.hand_over()
    timed = {(metric, labels) for metric, labels, _ in tally.totals()}
    assert ("tapelog_flush_duration_seconds", ("spot",)) in timed


async def test_a_wiped_redis_is_filled_again_from_postgresql_and_rest(
    simulator: RunningSimulator, instrument: Instrument, empty_redis: redis.Redis
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await collected(collector, 200)
        await collector.chores.save_once()
        await collected(collector, 100)  # which PostgreSQL may not have
        empty_redis.flushdb()
        await collected(collector, 200)
        await caught_up(simulator, collector)
        await collector.chores.save_once()
        saved = await in_database(lambda: sum(SecondBar.objects.values_list("trades", flat=True)))()
        first = simulator.exchange.symbols["BTCUSDT"].tape.first_id
        last = collector_id(collector)
        assert saved == last - first + 1


def collector_id(collector: Collector) -> int:
    [tape] = collector.tapes.values()
    return tape.writer.cursor.last_id or 0


async def test_a_lost_last_frame_is_found_though_nothing_follows(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    symbol = simulator.exchange.symbols["BTCUSDT"]
    async with collecting(simulator.http, simulator.ws) as collector:
        await collected(collector, 100)
        simulator.exchange.faults.change({"drop": 1.0})
        await traded(simulator, 30)
        symbol.source.is_halted = True  # type: ignore[attr-defined]
        last_id = symbol.tape.last_id
        assert collector_id(collector) < last_id
        await eventually(lambda: collector_id(collector) == last_id, 15, "the lost last trades")


async def test_redis_away_and_then_empty_counts_nothing_twice(
    simulator: RunningSimulator,
    instrument: Instrument,
    empty_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await collected(collector, 200)
        await collector.chores.save_once()
        hot = collector.outside.hot
        write, refused = hot.write_each, 0

        async def refuse(*args: object) -> list[bool]:
            nonlocal refused
            refused += 1
            raise redis.ConnectionError("away")

        monkeypatch.setattr(hot, "write_each", refuse)
        await eventually(lambda: refused >= 2, what="writes that Redis did not take")
        await collector.chores.save_once()  # while applied trades wait for Redis
        empty_redis.flushdb()
        monkeypatch.setattr(hot, "write_each", write)
        await caught_up(simulator, collector)
        await collector.chores.save_once()
        saved = await in_database(lambda: sum(SecondBar.objects.values_list("trades", flat=True)))()
        first = simulator.exchange.symbols["BTCUSDT"].tape.first_id
        assert saved == collector_id(collector) - first + 1


async def test_a_market_that_trades_no_more_is_covered_all_the_same(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        await eventually(lambda: collector_id(collector) > 1_000_100, 10)
    await in_database(CollectorLease.objects.all().delete)()
    symbol = simulator.exchange.symbols["BTCUSDT"]
    symbol.source.is_halted = True  # type: ignore[attr-defined]
    halted = time.time() * 1000
    async with collecting(simulator.http, simulator.ws) as collector:  # hears no frame of a trade
        await caught_up(simulator, collector)
        [tape] = collector.tapes.values()
        await eventually(lambda: tape.writer.covered_to > halted + 3000, 20, "its coverage")
        assert collector.frames == 0


async def test_a_second_run_goes_on_where_the_first_stopped(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    for _ in range(2):
        async with collecting(simulator.http, simulator.ws) as collector:
            await collected(collector, 200)
        await in_database(CollectorLease.objects.all().delete)()
        await traded(simulator, 100)
    async with collecting(simulator.http, simulator.ws) as collector:
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
    state = await in_database(TapeState.objects.get)()
    assert state.last_id == simulator.exchange.symbols["BTCUSDT"].tape.last_id


async def test_a_hole_that_rest_does_not_fill_in_time_is_open_and_rebuilt_behind(
    simulator: RunningSimulator, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbol = simulator.exchange.symbols["BTCUSDT"]
    async with collecting(simulator.http, simulator.ws) as collector:
        await collected(collector, 100)
        rest = collector.outside.rest
        answers = (rest.newest_trades, rest.trades_from)

        async def nothing(*args: object, **kwargs: object) -> list[object]:
            return []

        rest.newest_trades = rest.trades_from = nothing  # type: ignore[method-assign, assignment]
        simulator.exchange.faults.change({"drop": 0.02})
        [tape] = collector.tapes.values()

        async def has_open_gap() -> bool:
            return any(gap.state == "open" for gap in await tape.place.hot.gaps(KEY))

        await eventually(has_open_gap, what="an open gap")
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > symbol.tape.first_id + 100)
        rest.newest_trades, rest.trades_from = answers  # type: ignore[method-assign]
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
    states = await in_database(lambda: set(Gap.objects.values_list("state", flat=True)))()
    assert states == {"filled"}


async def test_following_another_symbol_takes_effect_within_seconds(
    simulator: RunningSimulator, instrument: Instrument, make_instrument: MakeInstrument
) -> None:
    simulator.exchange.list_generated("ETHUSDT", None, seed=3, pace=5.0)
    async with collecting(simulator.http, simulator.ws) as collector:
        await collected(collector, 100)
        await in_database(make_instrument)("ETHUSDT")
        await eventually(
            lambda: (
                len(collector.tapes) == 2
                and all(
                    (t.writer.cursor.last_id or 0) > 1_000_010 for t in collector.tapes.values()
                )
            ),
            15,
            "trades of both",
        )


async def test_old_bars_leave_redis_only_when_postgresql_has_them(
    simulator: RunningSimulator, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("market.collector.collector.SAVE_SECONDS", 60)  # saved only when we say
    async with collecting(simulator.http, simulator.ws) as collector:
        tape = await begun(collector)
        since = tape.writer.covered_from
        await eventually(lambda: tape.writer.covered_to >= since + 3_000, what="3 s of bars")
        hot = tape.place.hot
        before = tape.writer.covered_to // 1000 - 1
        await in_database(SecondBar.objects.all().delete)()
        assert await trim(tape.place, "1s", before) == 0
        tape.writer.unsaved.bars.update(await hot.bars(KEY, "1s", 0, 2**40))
        await collector.chores.save_once()
        whole = await hot.bars(KEY, "1s", 0, before)
        assert await trim(tape.place, "1s", before) == len(whole) > 0
        assert not await hot.bars(KEY, "1s", 0, before)
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)


async def test_the_loss_of_the_lease_ends_the_collector(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await begun(collector)
        await in_database(CollectorLease.objects.update)(holder="another")
        await collector.renew_once()
        assert collector.stop.is_set()


def test_a_gap_is_cut_into_what_was_filled_and_what_does_not_exist() -> None:
    gap = GapRecord(10, 20, 1, 2, "late", "open")
    parts = [(p.first_id, p.last_id, p.state) for p in close(gap, [(10, 11), (15, 16)])]
    assert parts == [
        (10, 11, "unfillable"),
        (12, 14, "filled"),
        (15, 16, "unfillable"),
        (17, 20, "filled"),
    ]
    assert [p.state for p in close(gap, [])] == ["filled"]
    assert [p.state for p in close(gap, [(10, 20)])] == ["unfillable"]
