"""Two writers of one tape, with random flush points, sweeps across flushes and rebuilds between
them, give the same bars as one."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from django.conf import settings

from market.collector.flushing import Flusher
from market.collector.tapes import Tape
from market.collector.writer import TapeWriter
from market.flow.bands import USD
from market.flow.bars import Bar, roll_up
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.hot import keys, store
from market.hot.codec import State
from market.hot.scripts import Write
from market.hot.store import HotStore, bar_write
from tests.conftest import KEY

UNIT = 10**8
START_US = 1_700_000_000_000_000


async def nothing_saved() -> State | None:
    return None


async def no_seconds(start: int, end: int) -> dict[int, Bar]:
    return {}


def random_tape(rng: random.Random, count: int) -> list[Trade]:
    time, trades = START_US, []
    for number in range(1, count + 1):
        time += rng.choice([0, 0, 0, 0, 50_000, 400_000, 1_500_000, 20_000_000, -300_000])
        price, quantity = rng.randint(90, 110) * UNIT, rng.randint(1, 40 * UNIT)
        trades.append(Trade(number, price, quantity, time, rng.random() < 0.4))
    return trades


def by_one(trades: list[Trade]) -> dict[int, Bar]:
    builder = TapeBuilder(USD)
    for trade in trades:
        builder.held.setdefault(trade.time // 60_000_000 * 60, {})
    builder.apply(trades)
    return {second: bar for bars in builder.held.values() for second, bar in bars.items()}


async def rebuild_second(hot: HotStore, truth: dict[int, Bar], rng: random.Random) -> None:
    """What an audit does: write a past second anew, under a higher revision."""
    state = await hot.state(KEY)
    stored = await hot.bars(KEY, "1s", 0, 2**40)
    past = [s for s in stored if state and s < state.newest - 2 and s in truth]
    whole = [s for s in past if stored[s].trades == truth[s].trades]
    if not whole or state is None:
        return
    second = rng.choice(whole)
    bar = truth[second].copy()
    bar.revision = state.revision + 1
    write = Write(
        expect=("*", str(state.revision)),
        state=["revision", str(state.revision + 1)],
        bars=[bar_write(KEY, "1s", bar, stored[second].trades)],
        gaps=[],
        messages=[],
    )
    await hot.write([(KEY, write)])


async def flush(hot: HotStore, writer: TapeWriter, lose_reply: bool) -> None:
    await writer.step()
    if not writer.is_dirty:
        return
    [applied] = await hot.write([(KEY, writer.write())])
    if applied and not lose_reply:
        writer.confirmed()
    else:
        await writer.reload()


@pytest.mark.parametrize("seed", range(12))
async def test_racing_writers_give_the_bars_of_one(seed: int) -> None:
    rng = random.Random(seed)
    trades = random_tape(rng, 400)
    truth = by_one(trades)
    client = store.connect(settings.REDIS_URL)
    hot = HotStore(client)
    try:
        writers = [TapeWriter(KEY, USD, hot, nothing_saved, no_seconds) for _ in range(2)]
        for writer in writers:
            await writer.load()
        writers[0].begin(trades[:1])
        await flush(hot, writers[0], lose_reply=False)
        await writers[1].reload()
        at = [1, 1]
        while any(position < len(trades) for position in at):
            who = rng.randrange(2)
            size = rng.randint(1, 25)
            batch = trades[at[who] : at[who] + size]
            at[who] += size
            rng.shuffle(batch)
            writers[who].inbox += [*batch, *batch[:2]]
            roll = rng.random()
            if roll < 0.6:
                await flush(hot, writers[who], lose_reply=rng.random() < 0.15)
            elif roll < 0.75:
                await rebuild_second(hot, truth, rng)
            elif roll < 0.8:  # killed and started again: it asks REST for what it missed
                writers[who] = TapeWriter(KEY, USD, hot, nothing_saved, no_seconds)
                await writers[who].load()
                at[who] = writers[who].cursor.last_id or 0
        for writer in (*writers, *writers):
            await flush(hot, writer, lose_reply=False)
        await check(hot, truth)
    finally:
        await client.aclose()


async def check(hot: HotStore, truth: dict[int, Bar]) -> None:
    seconds = await hot.bars(KEY, "1s", 0, 2**40)
    assert {s: bar.flow() for s, bar in seconds.items()} == {
        s: bar.flow() for s, bar in truth.items()
    }
    minutes = await hot.bars(KEY, "1m", 0, 2**40)
    expected = roll_up([truth[second] for second in sorted(truth)], 60)
    assert [minutes[bar.time].flow() for bar in expected] == [bar.flow() for bar in expected]


async def test_a_write_that_expects_another_state_changes_nothing(
    empty_redis: redis.Redis,
) -> None:
    client = store.connect(settings.REDIS_URL)
    hot = HotStore(client)
    bar = Bar(60)
    write = Write(("5", "0"), ["last_id", "6"], [bar_write(KEY, "1s", bar)], [], [])
    assert await hot.write([(KEY, write)]) == [False]
    assert not empty_redis.exists(keys.bar(KEY, "1s", 60))
    await client.aclose()


async def test_a_write_that_lost_its_race_is_not_taken_for_done() -> None:
    """The collector's own flush: what was not written is loaded and applied again."""
    trades = random_tape(random.Random(1), 3)
    client = store.connect(settings.REDIS_URL)
    hot = HotStore(client)
    try:
        winner, loser = (TapeWriter(KEY, USD, hot, nothing_saved, no_seconds) for _ in range(2))
        for writer in (winner, loser):
            await writer.load()
        winner.begin(trades[:1])
        await flush(hot, winner, lose_reply=False)
        await loser.reload()
        loser.inbox += trades[1:]
        await loser.step()
        winner.inbox += trades[1:2]
        await flush(hot, winner, lose_reply=False)
        tape = cast(Tape, SimpleNamespace(followed=SimpleNamespace(key=KEY), writer=loser))
        nobody: Any = SimpleNamespace(succeeded=lambda *_: None)
        outside: Any = SimpleNamespace(hot=hot)
        flusher = Flusher({KEY: tape}, outside, nobody, nobody, nobody, asyncio.Event())
        await flusher._write([tape])
        assert loser.is_dirty
        assert flusher._needs_load == {KEY}
        await flush(hot, loser, lose_reply=False)  # lost: it loads what stands
        await flush(hot, loser, lose_reply=False)
        state = await hot.state(KEY)
        assert state is not None
        assert state.last_id == 3
    finally:
        await client.aclose()
