"""What must not interrupt a tape: replaced connections, silence, a new tape, odd ids."""

import asyncio
from datetime import UTC, datetime

import pytest
from channels.db import database_sync_to_async

from lib.dates import to_ms
from market.archive import seconds as archive
from market.binance.stream import Times
from market.hot.codec import State
from market.models import Instrument
from market.services.following import follow
from simulator.channels.trades import spot_trade
from tests.conftest import KEY, MakeInstrument, RunningSimulator, eventually
from tests.market.collector.stage import begun, collected, collecting
from tests.market.collector.test_collector import caught_up, check_bars

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def instrument(make_instrument: MakeInstrument) -> Instrument:
    made: Instrument = await database_sync_to_async(make_instrument)("BTCUSDT")
    return made


async def test_a_connection_is_replaced_before_it_ends(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    times = Times(life=1.0, jitter=0.1, overlap=0.3)
    async with collecting(simulator.http, simulator.ws, times=times) as collector:
        [stream] = collector.streams.streams
        await eventually(lambda: stream.replacements >= 3, 20, "three replacements")
        assert len(simulator.sockets.connections) <= 2
        assert stream.connects == stream.replacements + 1  # never without one
        [tape] = collector.tapes.values()
        assert tape.writer.cursor.duplicates > 0  # both were heard
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
        assert await tape.place.hot.gaps(KEY) == []


async def test_an_announced_shutdown_is_answered_with_another_connection(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    times = Times(overlap=0.2)
    async with collecting(simulator.http, simulator.ws, times=times) as collector:
        [stream] = collector.streams.streams
        await collected(collector, 50)
        old = list(simulator.sockets.connections)
        shutdown = asyncio.create_task(simulator.sockets.shut_down(1.5))
        await eventually(lambda: stream.replacements == 1, 10, "a replacement")
        await shutdown
        assert not set(old) & simulator.sockets.connections
        assert stream.connects == 2
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)


async def test_a_silent_stream_is_noticed_and_subscribed_again(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        tape = await begun(collector)
        await collected(collector, 100)
        await eventually(lambda: tape.is_verified, 10, "a check by REST")
        faults = simulator.exchange.faults
        silence = faults.start("silence", {"stream": "btcusdt@trade", "seconds": 120})
        await eventually(lambda: tape.silent_checks >= 2, 20, "silence is noticed")
        known = tape.writer.cursor.last_id or 0
        await eventually(  # REST goes on bringing what the stream does not
            lambda: (tape.writer.cursor.last_id or 0) > known, 8, "trades by REST"
        )
        faults.active.remove(silence)
        await eventually(lambda: tape.silent_checks == 0, 20, "the stream speaks again")
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)


async def test_a_wiped_exchange_begins_a_new_tape(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: (tape.writer.cursor.last_id or 0) > 1_000_100, 10)
        before: State | None = await tape.place.hot.state(KEY)
        simulator.exchange.wipe(simulator.exchange.symbols["BTCUSDT"], first_id=1)
        await eventually(
            lambda: 0 < (tape.writer.cursor.last_id or 0) < 1_000_000, 25, "the new tape"
        )
        assert before is not None
        assert tape.writer.covered_from > before.covered_from
        await caught_up(simulator, collector)
        after = await tape.place.hot.state(KEY)
        assert after is not None
        assert after.revision > before.revision
        bars = await tape.place.hot.bars(KEY, "1s", tape.writer.covered_from // 1000 + 2, 2**40)
        tape_now = simulator.exchange.symbols["BTCUSDT"].tape
        for bar in bars.values():
            trades = list(tape_now.between(bar.first_id, bar.last_id))
            assert bar.trades == len(trades)
            assert bar.base_buy == sum(t.quantity for t in trades if not t.is_buyer_maker)


async def test_an_id_that_the_exchange_is_nowhere_near_moves_nothing(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: tape.writer.has_begun, 10)
        trade = simulator.exchange.symbols["BTCUSDT"].tape.last
        assert trade is not None
        odd = trade._replace(id=99_999_999_999)
        payload = spot_trade(simulator.exchange.symbols["BTCUSDT"], odd, trade.time, 1)
        collector.streams.streams[0].feed(f'{{"stream":"btcusdt@trade","data":{payload}}}'.encode())
        await eventually(lambda: tape.writer.refused > 0, 10, "the id is refused")
        await caught_up(simulator, collector)
        await check_bars(simulator, collector)
        assert await tape.place.hot.gaps(KEY) == []


async def test_a_first_start_reaches_back_by_trade_ids(
    simulator: RunningSimulator, instrument: Instrument
) -> None:
    symbol = simulator.exchange.symbols["BTCUSDT"]
    await eventually(lambda: symbol.tape.last_id > 1_000_000 + 3500, 30, "a history")
    first = symbol.tape.at(symbol.tape.first_id)
    since = datetime.fromtimestamp(first.time / 1e6 - 1, UTC)
    await database_sync_to_async(follow)(key=KEY, since=since)
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: bool(collector.tapes), 10)
        [tape] = collector.tapes.values()
        await eventually(lambda: tape.writer.has_begun, 10)
        await eventually(
            lambda: tape.writer.covered_from == to_ms(since) and not tape.writer.is_dirty,
            20,
            "the wished beginning, with what is to be filled",
        )
        await caught_up(simulator, collector)
        await collector.chores.save_once()
        saved = await database_sync_to_async(archive.load)(tape.followed.id, 0, 2**33)
        assert sum(bar.trades for bar in saved.values()) == (
            symbol.tape.last_id - symbol.tape.first_id + 1
        )
        assert min(bar.first_id for bar in saved.values()) == symbol.tape.first_id
        await check_bars(simulator, collector)
        gaps = await database_sync_to_async(archive.load_gaps)(tape.followed.id, 0, 2**53)
        assert [(gap.cause, gap.state) for gap in gaps] == [("reaching back", "filled")]


async def test_more_streams_than_a_connection_holds_get_another_one(
    simulator: RunningSimulator,
    instrument: Instrument,
    make_instrument: MakeInstrument,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("market.binance.stream.STREAMS_A_CONNECTION", 5)  # one symbol's
    simulator.exchange.list_generated("ETHUSDT", None, seed=3, pace=5.0)
    async with collecting(simulator.http, simulator.ws) as collector:
        await eventually(lambda: len(collector.tapes) == 1, 10)
        await database_sync_to_async(make_instrument)("ETHUSDT")  # followed while it runs
        await eventually(lambda: len(collector.streams.streams) == 2, 10, "a second connection")
        await eventually(
            lambda: (
                all(tape.heard_at for tape in collector.tapes.values())
                and len(simulator.sockets.connections) == 2
                and collector.streams.is_connected
            ),
            10,
            "both are heard",
        )
        assert all(len(item.streams) == 5 for item in simulator.sockets.connections)
