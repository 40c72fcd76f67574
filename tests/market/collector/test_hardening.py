"""Corners in which the collector was once wrong, each as it was found."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.db import OperationalError

from market.archive import seconds as archive
from market.binance.errors import MustWait
from market.collector import rebuild as rebuilding
from market.collector.audit import Auditor
from market.collector.rebuild import NotYet, Place, rebuild_gap
from market.collector.watch import Watch
from market.collector.writer import TapeWriter
from market.flow.bands import USD
from market.flow.bars import Bar
from market.flow.klines import Kline
from market.flow.sequence import Cursor
from market.flow.trades import Trade
from market.hot import store
from market.hot.codec import GapRecord, State
from market.hot.scripts import Write, flat
from market.hot.store import HotStore, bar_write
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.selectors.reading import read_span
from tests.conftest import KEY, MakeInstrument

pytestmark = pytest.mark.django_db(transaction=True)
UNIT = 10**8
T0 = 1_700_000_040_000_000  # a minute begins
EVER = 2**33


async def nothing(*arguments: object) -> None:
    return None


async def no_bars(*arguments: object) -> dict[int, Bar]:
    return {}


def trade(trade_id: int, time: int, quantity: int = 1) -> Trade:
    return Trade(trade_id, 100 * UNIT, quantity * UNIT, time, False)


@pytest.fixture
async def hot() -> AsyncIterator[HotStore]:
    client = store.connect(settings.REDIS_URL)
    found = HotStore(client)
    await found.load_script()
    yield found
    await client.aclose()


@pytest.fixture
async def place(hot: HotStore, make_instrument: MakeInstrument) -> AsyncIterator[Place]:
    instrument: Instrument = await in_database(make_instrument)("BTCUSDT")
    database = DatabaseThread()
    yield Place(KEY, instrument.pk, USD, hot, database)
    database.close()


def make_writer(hot: HotStore, place: Place | None = None) -> TapeWriter:
    async def newest() -> int | None:
        assert place is not None
        return await place.database.run(archive.saved_newest, place.instrument_id)

    return TapeWriter(
        KEY, USD, hot, nothing, no_bars, load_saved_newest=newest if place else nothing
    )


async def flush(hot: HotStore, writer: TapeWriter) -> bool:
    [applied] = await hot.write([(KEY, writer.write())])
    if applied:
        writer.confirmed()
    return applied


async def save(place: Place, writer: TapeWriter) -> None:
    taken = writer.take_unsaved()
    assert taken is not None
    bars, gaps, state = taken
    await place.database.run(archive.save, place.instrument_id, "usd-1", bars, state, gaps)


async def trades_in(place: Place) -> tuple[int, int]:
    """Counted in Redis and in PostgreSQL."""
    saved = await place.database.run(archive.load, place.instrument_id, 0, EVER)
    hot = await place.hot.bars(KEY, "1s", 0, EVER)
    return sum(b.trades for b in hot.values()), sum(b.trades for b in saved.values())


class Rest:
    """REST's answers from a list of trades."""

    def __init__(self, trades: list[Trade]) -> None:
        self.trades = trades
        self.calls = 0

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        self.calls += 1
        return [trade for trade in self.trades if trade.id >= first_id][:1000]

    async def newest_trades(self, symbol: str, kind: str = "live") -> list[Trade]:
        return self.trades[-1000:]

    async def first_id_since(self, symbol: str, start_ms: int) -> int:
        return 500


async def with_a_gap(place: Place, rows: list[Trade], tail: int) -> None:
    """A tape that has the first row and the last ones; between them a gap, in both stores."""
    writer = make_writer(place.hot)
    await writer.load()
    writer.begin([rows[0]])
    await writer.step()
    writer.inbox += rows[-tail:]
    await writer.step()
    await writer.open_gap("a test")
    writer.covered_to = T0 // 1000 + 10_000_000
    assert await flush(place.hot, writer)
    await save(place, writer)


async def rebuild(place: Place, rest: Any) -> None:
    for gap in await place.hot.gaps(KEY):
        if gap.state == "open":
            await rebuild_gap(place, rest, gap)


async def test_a_rebuild_whose_save_failed_does_it_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [trade(i, T0 + i * 100_000) for i in range(1, 5001)]
    await with_a_gap(place, rows, 10)
    real, failures = archive.save, iter([True])

    def failing(*arguments: Any, **options: Any) -> None:
        if next(failures, False):
            raise OperationalError("gone")
        real(*arguments, **options)

    monkeypatch.setattr(archive, "save", failing)
    with pytest.raises(OperationalError):
        await rebuild(place, Rest(rows))
    await rebuild(place, Rest(rows))
    assert await trades_in(place) == (5000, 5000)


async def test_a_long_gap_gives_way_now_and_then_and_goes_on_where_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "SLICE_SECONDS", 0.0)
    rows = [trade(i, T0 + i * 100_000) for i in range(1, 5001)]
    await with_a_gap(place, rows, 10)
    rest, turns = Rest(rows), 0
    while any(gap.state == "open" for gap in await place.hot.gaps(KEY)):
        turns += 1
        with contextlib.suppress(NotYet):
            await rebuild(place, rest)
    assert 2 < turns <= rest.calls <= 8  # five pages, and a part of one after each turn
    assert await trades_in(place) == (5000, 5000)


async def test_what_the_exchange_has_not_is_remembered_over_an_interruption(place: Place) -> None:
    rows = [trade(i, T0 + i * 100_000) for i in range(1, 5001) if i not in range(500, 510)]
    await with_a_gap(place, rows, 20)

    class Busy(Rest):
        async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
            if self.calls == 3:
                self.calls += 1
                raise MustWait(10, "no weight")
            return await super().trades_from(symbol, first_id, kind)

    rest = Busy(rows)
    with pytest.raises(MustWait):
        await rebuild(place, rest)
    await rebuild(place, rest)
    gaps = await place.database.run(archive.load_gaps, place.instrument_id, 0, 2**53)
    assert (500, 509, "unfillable") in [(gap.first_id, gap.last_id, gap.state) for gap in gaps]


async def test_a_minute_is_replaced_only_by_trades_that_add_up(place: Place) -> None:
    rows = [trade(i, T0 + i * 100_000) for i in range(1, 1201)]
    writer = make_writer(place.hot)
    await writer.load()
    writer.begin(rows)
    await writer.step()
    assert await flush(place.hot, writer)
    await save(place, writer)
    minute = T0 // 1_000_000
    price = 100 * UNIT
    kline = Kline(
        minute,
        1,
        599,
        599,
        price,
        price,
        price,
        price,
        599 * UNIT,
        599 * UNIT,
        59_900 * UNIT,
        59_900 * UNIT + 1,
    )
    # REST names one id for both ends of the minute, so there is nothing to fetch
    rest: Any = Rest(rows)
    before = await place.hot.bars(KEY, "1s", minute, minute + 60)
    _, state, _ = await Auditor(rest)._judge(place, kline, is_confirmed=True)
    assert state == "differs"
    after = await place.hot.bars(KEY, "1s", minute, minute + 60)
    assert [bar.flow() for bar in after.values()] == [bar.flow() for bar in before.values()]
    assert len(after) > 50


async def test_one_stale_answer_begins_no_new_tape(hot: HotStore) -> None:
    rows = [trade(i, T0 + i * 100) for i in range(1, 150_001)]
    writer = make_writer(hot)
    await writer.load()
    writer.begin(rows[:1])
    writer.inbox += rows[1:]
    await writer.step()
    await flush(hot, writer)
    tape: Any = SimpleNamespace(
        followed=SimpleNamespace(key=KEY, id=1),
        writer=writer,
        is_verified=False,
        checked_at=0.0,
        verified_ms=0,
        lower=None,
    )
    rest: Any = Rest(rows[:40_000])
    streams: Any = None
    background: Callable[..., Any] = asyncio.ensure_future
    for _ in range(3):
        await Watch(rest, streams, background, asyncio.Event()).catch_up(tape)
        await writer.step()
        await flush(hot, writer)
    state = await hot.state(KEY)
    assert state is not None
    assert state.last_id == 150_000
    assert sum(bar.trades for bar in (await hot.bars(KEY, "1s", 0, EVER)).values()) == 150_000


def test_a_run_of_ids_behind_a_wide_hole_is_believed_without_rest() -> None:
    nobody: Any = None
    watch = Watch(nobody, nobody, nobody, asyncio.Event())
    cursor = Cursor(10)
    tape: Any = SimpleNamespace(writer=SimpleNamespace(cursor=cursor), trusted_to=0)
    cursor.offer([trade(900_000, T0)])
    hole = cursor.hole()
    assert hole is not None
    assert watch.is_doubtful(tape, hole)  # one frame may be anything
    cursor.offer([trade(900_000 + i, T0) for i in range(1, 25)])
    assert not watch.is_doubtful(tape, hole)


async def test_bars_and_gaps_of_a_dead_writer_reach_postgresql(place: Place) -> None:
    first = make_writer(place.hot)
    await first.load()
    first.begin([trade(1, T0)])
    await first.step()
    await flush(place.hot, first)
    await save(place, first)
    for i in range(2, 1202):  # twenty minutes in which PostgreSQL is away, then the process dies
        first.inbox.append(trade(i, T0 + i * 1_000_000))
        await first.step()
        await flush(place.hot, first)
    first.inbox.append(trade(2000, T0 + 2_000_000_000))
    await first.step()
    await first.open_gap("a test")
    await place.hot.write([(KEY, first.write())])
    second = make_writer(place.hot, place)
    await second.load()
    await save(place, second)
    assert await trades_in(place) == (1202, 1202)
    gaps = await place.database.run(archive.load_open_gaps, place.instrument_id)
    assert [(gap.first_id, gap.last_id) for gap in gaps] == [(1202, 1999)]


async def test_reaching_back_is_not_swallowed_by_a_flush_under_way(hot: HotStore) -> None:
    writer = make_writer(hot)
    await writer.load()
    writer.begin([trade(10, T0)])
    await writer.step()
    write = writer.write()
    writer.reach_back(5, GapRecord(1, 9, 5, 10, "reaching back", "open"))  # by another task
    assert await hot.write([(KEY, write)]) == [True]
    writer.confirmed()
    await writer.step()
    assert await flush(hot, writer)
    state = await hot.state(KEY)
    assert state is not None
    assert state.covered_from == 5
    assert [gap.first_id for gap in await hot.gaps(KEY)] == [1]


async def test_the_coverage_of_two_writers_only_grows(hot: HotStore) -> None:
    first, second = make_writer(hot), make_writer(hot)
    await first.load()
    first.begin([trade(10, T0)])
    await first.step()
    await flush(hot, first)
    await second.load()
    first.covered_to, first.covered_from = 1_700_000_100_000, 7
    assert await flush(hot, first)
    assert await flush(hot, second)
    state = await hot.state(KEY)
    assert state is not None
    assert (state.covered_from, state.covered_to) == (7, 1_700_000_100_000)


async def test_thousands_of_big_orders_at_once_are_written(hot: HotStore) -> None:
    writer = make_writer(hot)
    await writer.load()
    writer.begin([trade(i, T0 + i * 10, 200) for i in range(1, 9001)])
    await writer.step()
    assert len(writer.builder.big) > 8000
    assert await flush(hot, writer)


async def test_an_old_bar_that_came_back_does_not_hide_those_that_left_redis(place: Place) -> None:
    """Redis has the newest minute and an old one that a rebuild wrote again."""
    first = T0 // 1_000_000
    newest = first + settings.HOT_MINUTES_TTL + 7200
    bars = []
    for at in [*range(first, first + 600, 60), newest]:
        bar = Bar(at)
        bar.trades, bar.first_id, bar.last_id = 5, at, at + 4
        bar.open = bar.high = bar.low = bar.close = 100 * UNIT
        bars.append(bar)
    await place.database.run(archive.save, place.instrument_id, "usd-1", bars, None)
    state = State(1, 1, newest, first * 1000, (newest + 60) * 1000, 1_000_000, None, 0)
    old = [bar_write(KEY, "1m", bar) for bar in (bars[1], bars[-1])]
    await place.hot.write([(KEY, Write(("", ""), flat(state.fields()), old, [], []))])
    instrument = await in_database(Instrument.objects.get)(pk=place.instrument_id)
    span = await in_database(read_span)(instrument, "1m", first * 1000, (first + 600) * 1000)
    assert [bar.trades for bar in span.bars] == [5] * 10
