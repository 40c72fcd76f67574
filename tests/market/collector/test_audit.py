"""The audit: closed minutes against the exchange's candles, planted faults found and mended."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.db import connection
from msgspec import structs

from lib.dates import from_seconds
from market.archive import seconds as archive
from market.collector.audit import Auditor, _first_after
from market.collector.collector import Collector
from market.collector.tapes import Tape
from market.flow.bars import Bar, roll_up
from market.flow.klines import Kline, differences
from market.flow.trades import Trade
from market.hot import keys
from market.models import Instrument, MinuteAudit
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import collecting
from tests.market.collector.test_collector import caught_up, check_bars

pytestmark = pytest.mark.django_db(transaction=True)


def bar_of(kline: Kline) -> Bar:
    bar = Bar(kline.minute)
    bar.trades, bar.first_id, bar.last_id = kline.trades, kline.first_id, kline.last_id
    bar.open, bar.high, bar.low, bar.close = kline.open, kline.high, kline.low, kline.close
    bar.base_buy, bar.base_sell = kline.base_buy, kline.base - kline.base_buy
    bar.quote_buy = kline.quote_buy * 10**8
    bar.quote_sell = (kline.quote - kline.quote_buy) * 10**8
    for unit in (bar.trade, bar.order):
        unit[0], unit[6] = bar.quote_buy, bar.quote_sell
    return bar


KLINE = Kline(60, 1, 3, 3, 100, 120, 90, 110, 50, 20, 5000, 2000)


def test_a_bar_that_agrees_has_no_differences() -> None:
    assert differences(KLINE, bar_of(KLINE)) == []
    empty = Kline(60, -1, -1, 0, 110, 110, 110, 110, 0, 0, 0, 0)
    assert differences(empty, None) == []


@pytest.mark.parametrize(
    "name",
    ["trades", "first_id", "last_id", "open", "high", "low", "close", "base_buy", "quote_buy"],
)
def test_each_figure_is_compared(name: str) -> None:
    bar = bar_of(KLINE)
    setattr(bar, name, getattr(bar, name) + 1)
    assert name in differences(KLINE, bar) or "bands" in differences(KLINE, bar)


def test_the_last_id_of_a_minute_is_not_that_of_what_traded_meanwhile() -> None:
    def at(number: int, second: float) -> Trade:
        return Trade(number, 1, 1, int(second * 1_000_000) + 1_790_000_000_000_000, False)

    end_ms = 1_790_000_060_000
    before = [at(7, 58), at(8, 59.999)]
    assert _first_after(before, end_ms) == 9
    assert _first_after([*before, at(9, 60), at(10, 400)], end_ms) == 9
    assert _first_after([at(9, 60), at(10, 400)], end_ms) is None
    assert _first_after([], end_ms) is None
    in_ms = [structs.replace(t, time=t.time // 1000) for t in [*before, at(9, 60)]]
    assert _first_after(in_ms, end_ms) == 9


def test_a_band_that_lost_something_is_a_difference() -> None:
    bar = bar_of(KLINE)
    bar.order[0] -= 1
    assert differences(KLINE, bar) == ["bands"]


def test_sums_with_more_places_than_the_exchange_prints_may_be_rounded() -> None:
    bar = bar_of(KLINE)
    bar.quote_buy += 7
    for unit in (bar.trade, bar.order):
        unit[0] += 7
    assert differences(KLINE, bar) == []  # 7e-16 of rounding in three trades
    bar.quote_buy += 4 * 10**8
    for unit in (bar.trade, bar.order):
        unit[0] += 4 * 10**8
    assert differences(KLINE, bar) == ["quote", "quote_buy"]


@pytest.fixture
async def instrument(make_instrument: MakeInstrument) -> Instrument:
    made: Instrument = await in_database(make_instrument)("BTCUSDT")
    return made


async def an_audited_minute(
    simulator: RunningSimulator, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> int:
    """The minutes before a halt, audited by REST; the exchange's clock then runs ahead."""
    await eventually(lambda: bool(collector.tapes), 10)
    # on a slow machine the collector's own patrol comes while a test looks
    monkeypatch.setattr(collector.chores.auditor, "patrol_once", _no_patrol)
    [tape] = collector.tapes.values()
    await eventually(lambda: (tape.writer.cursor.last_id or 0) > 1_000_200, 10)
    await caught_up(simulator, collector)
    await collector.chores.save_once()
    newest = tape.writer.last_trade_ms // 60_000 * 60
    # pretend that the first minute was seen whole, and that time has passed
    tape.writer.covered_from = (tape.writer.covered_from // 60_000) * 60_000
    tape.writer.covered_to = (newest + 60) * 1000 + 10_000
    assert await collector.chores.auditor.look_again(tape, newest - 60, newest + 60) > 0
    return newest


async def _no_patrol(tape: Tape) -> None:
    """In place of the auditor's."""


Plant = Callable[[Instrument, int, Any], None]


def in_postgresql(instrument: Instrument, second: int, redis: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE market_second_bar SET quote_buy = quote_buy + 1, trades = trades + 3 "
            "WHERE instrument_id = %s AND time = to_timestamp(%s)",
            [instrument.pk, second],
        )
        assert cursor.rowcount == 1


def in_redis_second(instrument: Instrument, second: int, redis: Any) -> None:
    redis.hset(keys.bar(KEY, "1s", second), "base_buy", "1")


def in_redis_minute(instrument: Instrument, second: int, redis: Any) -> None:
    redis.hset(keys.bar(KEY, "1m", second - second % 60), "high", "1")


def a_lost_second(instrument: Instrument, second: int, redis: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM market_second_bar WHERE instrument_id = %s AND time = to_timestamp(%s)",
            [instrument.pk, second],
        )


@pytest.mark.parametrize("plant", [in_postgresql, in_redis_second, in_redis_minute, a_lost_second])
async def test_a_planted_fault_is_found_mended_and_survives_the_next_flush(
    simulator: RunningSimulator,
    instrument: Instrument,
    empty_redis: Any,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        minute = await an_audited_minute(simulator, collector, monkeypatch)
        [tape] = collector.tapes.values()
        seconds = await tape.place.hot.bars(KEY, "1s", minute - 60, minute + 60)
        second = sorted(seconds)[len(seconds) // 2]
        minute = second - second % 60
        await in_database(plant)(instrument, second, empty_redis)
        tape.writer.covered_to = max(tape.writer.covered_to, (minute + 60) * 1000 + 10_000)
        await collector.chores.auditor.look_again(tape, minute, minute + 60)
        audit = await in_database(MinuteAudit.objects.get)(minute__minute=minute // 60 % 60)
        assert audit.state == "rebuilt"
        assert audit.differences
        simulator.exchange.symbols["BTCUSDT"].source.is_halted = False  # type: ignore[attr-defined]
        await caught_up(simulator, collector)  # flushed again, by a writer that had to reload
        await collector.chores.save_once()
        await check_bars(simulator, collector)
        saved = await in_database(_saved_minutes)(collector)
        hot = await tape.place.hot.bars(KEY, "1m", minute, minute + 60)
        assert saved[minute].flow() == hot[minute].flow()


def _saved_minutes(collector: Collector) -> dict[int, Bar]:
    [tape] = collector.tapes.values()
    bars = archive.load(tape.followed.id, 0, 2**33)
    return {bar.time: bar for bar in roll_up(bars.values(), 60)}


async def test_what_still_differs_is_said_once_and_not_rebuilt_for_ever(
    simulator: RunningSimulator,
    instrument: Instrument,
    empty_redis: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        minute = await an_audited_minute(simulator, collector, monkeypatch)
        [tape] = collector.tapes.values()
        real = collector.chores.auditor._rest.klines

        async def contradictory(symbol: str, start: int, end: int) -> Any:
            rows = await real(symbol, start, end)
            return [replace(row, trades=row.trades + 1) for row in rows]

        monkeypatch.setattr(collector.chores.auditor._rest, "klines", contradictory)
        rebuilt: list[int] = []
        monkeypatch.setattr(
            "market.collector.audit.rebuild_minute",
            lambda *arguments: _count(rebuilt),
        )
        tape.writer.covered_to = max(tape.writer.covered_to, (minute + 60) * 1000 + 10_000)
        for _ in range(3):
            await collector.chores.auditor.look_again(tape, minute, minute + 60)
        assert len(rebuilt) == 1
        states = await in_database(
            lambda: set(MinuteAudit.objects.values_list("state", flat=True))
        )()
        assert "differs" in states


async def _count(calls: list[int]) -> None:
    calls.append(1)


async def test_minutes_told_by_the_stream_are_recorded(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > 1_000_200, 10)
        await caught_up(simulator, collector)
        await collector.chores.save_once()
        minute = tape.writer.last_trade_ms // 60_000 * 60
        tape.writer.covered_from = minute * 1000 - 120_000
        tape.writer.covered_to = (minute + 60) * 1000 + 10_000
        bars = await tape.place.hot.bars(KEY, "1m", minute, minute + 60)
        bar = bars[minute]
        tape.klines.append(
            Kline(
                minute,
                bar.first_id,
                bar.last_id,
                bar.trades,
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.base_buy + bar.base_sell,
                bar.base_buy,
                (bar.quote_buy + bar.quote_sell) // 10**8,
                bar.quote_buy // 10**8,
            )
        )
        await Auditor(collector.outside.rest).audit_once(tape)
        assert tape.klines == []
        audit = await in_database(MinuteAudit.objects.get)(minute=from_seconds(minute))
        assert (audit.state, audit.differences) == ("agrees", "")
