"""The one routine that makes bars from ids: late fills, audit and import all go through it.

It asks for every id of the seconds that a range touches, builds their bars anew, and writes
absolute values with a higher revision, so that every live writer reloads before it goes on.
"""

import time
from dataclasses import dataclass, replace

import structlog
from msgspec import structs

from market.archive import seconds as archive
from market.binance.rest import PublicRest
from market.collector.filler import Found, pages
from market.flow.bands import BandSet
from market.flow.bars import Bar, newer_of, roll_up
from market.flow.klines import Kline, differences
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.hot import keys
from market.hot.codec import GapRecord, State, gap_text
from market.hot.keys import RESYNC
from market.hot.scripts import BarWrite, Write, flat
from market.hot.store import HotStore, bar_removal, bar_write
from market.instruments import InstrumentKey
from market.jobs.database import DatabaseThread

log = structlog.get_logger(__name__)

TRIES = 20
# A second that has just ended may still be written by the live writer.
SETTLED_MS = 2000
# A long gap gives way to the other tapes' so often; it goes on where it was.
SLICE_SECONDS = 30.0


@dataclass(frozen=True)
class Place:
    """Everything that says where one tape's bars live."""

    tape: InstrumentKey
    instrument_id: int
    bands: BandSet
    hot: HotStore
    database: DatabaseThread


class NotYet(Exception):
    """The exchange or the live writer is not far enough; try again later."""


class Behind(NotYet):
    """The exchange's database was asked and does not have the newest ids yet."""


async def rebuild_gap(place: Place, rest: PublicRest, gap: GapRecord) -> list[GapRecord]:
    """Fill an open gap behind the live writer; returns what became of it. Whole minutes are written
    as they get ready, and the gap remembers how far, so a killed rebuild goes on where it was.

    Raises NotYet, and the REST adapter's errors.
    """
    state = await place.hot.state(place.tape)
    if state is None or state.covered_to < gap.to_ms + 1000 + SETTLED_MS:
        raise NotYet("the second behind the gap is still live")
    began = time.monotonic()
    first_id, last_id = await _whole_seconds(place, gap)
    first_id = max(first_id, gap.filled_to + 1)
    builder = _new_builder(place, state)
    missing: list[tuple[int, int]] = []
    done = first_id - 1
    async for piece in pages(rest, place.tape.symbol, first_id, last_id, "backfill"):
        done = _take(builder, piece)
        missing += [(max(a, gap.first_id), min(b, gap.last_id)) for a, b in piece.unfillable]
        if done < last_id:
            filled_to = gap.filled_to
            gap, missing = await _write_ready(place, builder, gap, missing)
            is_kept = gap.filled_to > filled_to and not missing
            if is_kept and time.monotonic() - began > SLICE_SECONDS:
                raise NotYet(f"filled up to id {gap.filled_to}, the others have their turn")
    if done < last_id:
        raise Behind(f"the exchange answers up to id {done} of {last_id}")
    closed = close(gap, [(a, b) for a, b in missing if a <= b])
    await _write(place, builder, sorted(builder.changed), closed, last_id)
    log.info("gap rebuilt", tape=str(place.tape), first_id=gap.first_id, last_id=gap.last_id)
    return closed


async def rebuild_minute(place: Place, rest: PublicRest, kline: Kline) -> bool:
    """Make one closed minute anew from its ids. False, and nothing is touched, when the exchange's
    trades do not add up to its own candle.

    Raises NotYet, and the REST adapter's errors.
    """
    state = await place.hot.state(place.tape)
    if state is None:
        raise NotYet("Redis does not know the tape")
    builder = _new_builder(place, state)
    done = kline.first_id - 1
    if kline.trades:
        async for piece in pages(rest, place.tape.symbol, kline.first_id, kline.last_id, "audit"):
            done = _take(builder, piece)
    if done < kline.last_id:
        raise Behind(f"the exchange answers up to id {done} of {kline.last_id}")
    rolled = roll_up([bar for _, bar in sorted(builder.held.get(kline.minute, {}).items())], 60)
    strange = [minute for minute, bars in builder.held.items() if bars and minute != kline.minute]
    if strange or differences(kline, rolled[0] if rolled else None):
        log.error("trades are not their candle", tape=str(place.tape), minute=kline.minute)
        return False
    await _write(place, builder, sorted(builder.changed), [], kline.last_id, kline.minute)
    log.warning("minute rebuilt", tape=str(place.tape), minute=kline.minute)
    return True


def _new_builder(place: Place, state: State) -> TapeBuilder:
    return TapeBuilder(place.bands, state.ticks, detail=place.tape.detail)


async def rewrite(place: Place, builder: TapeBuilder) -> None:
    """Write the builder's changed seconds and their minutes, unless what is stored has more.

    Raises NotYet.
    """
    await _write(place, builder, sorted(builder.changed), [], None, is_rewritten=True)


async def save_closed_gap(place: Place, gap: GapRecord) -> None:
    """PostgreSQL was away when the gap closed: save its seconds and itself, then forget it."""
    bars = await place.hot.bars(place.tape, "1s", gap.from_ms // 1000, gap.to_ms // 1000 + 1)
    await place.database.run(
        archive.save, place.instrument_id, place.bands.id, list(bars.values()), None, [gap]
    )
    await place.hot.forget_gaps(place.tape, [gap.first_id])


def close(gap: GapRecord, missing: list[tuple[int, int]]) -> list[GapRecord]:
    """The gap cut into what was filled and what the exchange does not have, in id order; filled
    stretches between two missing ones belong to the first record."""
    records: list[GapRecord] = []
    if not missing or missing[0][0] > gap.first_id:
        end = gap.last_id if not missing else missing[0][0] - 1
        records.append(_part(gap, gap.first_id, end, "filled"))
    for index, (first_id, last_id) in enumerate(missing):
        records.append(_part(gap, first_id, last_id, "unfillable"))
        after = missing[index + 1][0] - 1 if index + 1 < len(missing) else gap.last_id
        if last_id < after:
            records.append(_part(gap, last_id + 1, after, "filled"))
    return records


def _part(gap: GapRecord, first_id: int, last_id: int, state: str) -> GapRecord:
    return GapRecord(first_id, last_id, gap.from_ms, gap.to_ms, gap.cause, state)


def _take(builder: TapeBuilder, piece: Found) -> int:
    """Apply a page, breaking the sweep at what the exchange does not have; returns the last id."""
    start = 0
    done = 0
    for _, hole_last in piece.unfillable:
        end = start
        while end < len(piece.trades) and piece.trades[end].id < hole_last:
            end += 1
        _apply(builder, piece.trades[start:end])
        builder.break_sweep()
        start, done = end, hole_last
    _apply(builder, piece.trades[start:])
    return max([done, *(trade.id for trade in piece.trades[-1:])])


def _apply(builder: TapeBuilder, trades: list[Trade]) -> None:
    """A rebuild starts from nothing, so every minute is its own."""
    for trade in trades:
        minute = trade.time // builder.ticks // 60 * 60
        builder.held.setdefault(minute, {})
    builder.apply(trades)


async def _whole_seconds(place: Place, gap: GapRecord) -> tuple[int, int]:
    """The ids of all trades in the seconds that the gap touches."""
    # a bar is one second, so only those at both ends reach beyond the gap
    bars: dict[int, Bar] = {}
    for second in {gap.from_ms // 1000, gap.to_ms // 1000}:
        bars |= await _stored(place, second, second + 1)
    first_id, last_id = gap.first_id, gap.last_id
    for bar in bars.values():
        if bar.trades and bar.last_id >= gap.first_id - 1 and bar.first_id <= gap.last_id + 1:
            first_id, last_id = min(first_id, bar.first_id), max(last_id, bar.last_id)
    return first_id, last_id


async def _stored(place: Place, start: int, end: int) -> dict[int, Bar]:
    hot = await place.hot.bars(place.tape, "1s", start, end)
    saved = await place.database.run(archive.load, place.instrument_id, start, end)
    return newer_of(saved, hot)


async def _write_ready(
    place: Place, builder: TapeBuilder, gap: GapRecord, missing: list[tuple[int, int]]
) -> tuple[GapRecord, list[tuple[int, int]]]:
    """Write the minutes that lie wholly behind the newest trade, and only when both stores have
    them remember how far that is, with what the exchange proved not to have; returns the gap and
    what is still to be remembered."""
    newest = max(builder.changed, default=0)
    ready = [s for s in sorted(builder.changed) if s - s % 60 < newest - newest % 60 - 60]
    if not ready:
        return gap, missing
    rest = builder.changed.difference(ready)
    next_id = min(builder.held[second - second % 60][second].first_id for second in rest)
    await _write(place, builder, ready, [], None)
    builder.release(2)
    if next_id <= gap.first_id:
        return gap, missing
    gap = structs.replace(gap, filled_to=min(next_id - 1, gap.last_id))
    # a record of its own each; one at the gap's own beginning has its key and waits for the end
    told = [(a, b) for a, b in missing if gap.first_id < a <= b <= gap.filled_to]
    records = [_part(gap, a, b, "unfillable") for a, b in told]
    await _write(place, builder, [], [gap, *records], None)
    return gap, [part for part in missing if part not in told]


async def _write(
    place: Place,
    builder: TapeBuilder,
    ready: list[int],
    gaps: list[GapRecord],
    last_id: int | None,
    whole_minute: int | None = None,
    *,
    is_rewritten: bool = False,
) -> None:
    """One compare-and-set; a live writer that was faster means: read again and try again."""
    for _ in range(TRIES):
        state = await place.hot.state(place.tape)
        if state is None:
            raise NotYet("Redis does not know the tape")
        if whole_minute is None:
            bars, write = await _prepare(place, builder, ready, gaps, state, last_id)
            gone: list[int] = []
        else:
            bars, gone, write = await _replace(place, builder, whole_minute, state, last_id)
        [applied] = await place.hot.write([(place.tape, write)])
        if applied:
            await place.database.run(
                archive.save,
                place.instrument_id,
                place.bands.id,
                bars,
                None,
                gaps,
                gone,
                is_rewritten=is_rewritten,
            )
            await place.hot.forget_gaps(place.tape, [g.first_id for g in gaps if g.state != "open"])
            builder.changed.difference_update(ready)
            return
    raise NotYet("the live writer was faster each time")


async def _prepare(
    place: Place,
    builder: TapeBuilder,
    ready: list[int],
    gaps: list[GapRecord],
    state: State,
    last_id: int | None,
) -> tuple[list[Bar], Write]:
    revision = state.revision + 1
    rebuilt: list[Bar] = []
    writes: list[BarWrite] = []
    for minute in sorted({second - second % 60 for second in ready}):
        # what guards the write is read before what it guards
        old_minute = (await place.hot.bars(place.tape, "1m", minute, minute + 60)).get(minute)
        hot = await place.hot.bars(place.tape, "1s", minute, minute + 60)
        saved = await place.database.run(archive.load, place.instrument_id, minute, minute + 60)
        stored = newer_of(saved, hot)
        for second in (s for s in ready if s - s % 60 == minute):
            bar = builder.held[minute][second]
            old = stored.get(second)
            if old is not None:
                bar.bid, bar.ask = old.bid, old.ask
                if old.first_id < bar.first_id or old.last_id > bar.last_id:
                    log.error("second not rebuilt", tape=str(place.tape), second=second)
                    continue  # times ran against ids here: the fetched ids are not all of it
            bar.revision = revision
            hot_trades = hot[second].trades if second in hot else 0
            writes.append(bar_write(place.tape, "1s", bar, hot_trades))
            stored[second] = bar
            rebuilt.append(bar)
        [rolled] = roll_up([stored[second] for second in sorted(stored)], 60)
        rolled.revision = revision
        writes.append(bar_write(place.tape, "1m", rolled, old_minute.trades if old_minute else 0))
    return rebuilt, _as_write(place, builder, state, last_id, writes, gaps)


async def _replace(
    place: Place, builder: TapeBuilder, minute: int, state: State, last_id: int | None
) -> tuple[list[Bar], list[int], Write]:
    """A whole minute as the exchange has it: what both stores held of it does not count; returns
    its bars, the open times of bars that go, and the write."""
    stored = await _stored(place, minute, minute + 60)
    bars = [bar for _, bar in sorted(builder.held.get(minute, {}).items())]
    writes: list[BarWrite] = []
    for bar in bars:
        bar.revision = state.revision + 1
        if bar.time in stored:
            bar.bid, bar.ask = stored[bar.time].bid, stored[bar.time].ask
        writes.append(bar_write(place.tape, "1s", bar))
    gone = sorted(set(stored) - {bar.time for bar in bars})
    writes += [bar_removal(place.tape, "1s", at) for at in gone]
    rolled = roll_up(bars, 60)
    writes += [bar_write(place.tape, "1m", bar) for bar in rolled]
    writes += [] if rolled else [bar_removal(place.tape, "1m", minute)]
    return bars, gone, _as_write(place, builder, state, last_id, writes, [])


def _as_write(
    place: Place,
    builder: TapeBuilder,
    state: State,
    last_id: int | None,
    writes: list[BarWrite],
    gaps: list[GapRecord],
) -> Write:
    """Under the next revision, so that every live writer reloads."""
    reaches_cursor = last_id is not None and last_id == state.last_id
    new = replace(state, revision=state.revision + 1)
    if reaches_cursor:
        new = replace(new, sweep=builder.sweep)
    channel = keys.topic(place.tape.venue, keys.flow_topic(place.tape, "1m"))
    return Write(
        expect=(str(state.last_id) if reaches_cursor else "*", str(state.revision)),
        state=flat({"revision": str(new.revision), "sweep": new.fields()["sweep"]})
        if reaches_cursor
        else ["revision", str(new.revision)],
        bars=writes,
        gaps=[word for gap in gaps for word in (str(gap.first_id), gap_text(gap))],
        messages=[(channel, RESYNC)] if writes else [],
    )
