"""A stretch of a tape's past by trade ids, whether it is followed or not: for old fills, whose
surroundings nobody collected. Whole or not at all; the governor's background budget pays."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction

from lib.dates import from_seconds
from market.archive import coverage, partitions
from market.archive import seconds as archive
from market.binance.budgets import public_rest
from market.binance.errors import MustWait, TryAgain
from market.binance.rest import PublicRest
from market.collector.filler import pages
from market.flow.bands import SETS
from market.flow.tape import MinuteNotHeld, TapeBuilder
from market.flow.ticks import ms_of, ticks_of
from market.flow.trades import Trade
from market.hot import store
from market.hot.codec import GapRecord
from market.jobs.database import DatabaseThread
from market.models import Instrument

log = structlog.get_logger(__name__)

T = TypeVar("T")
# Trade times may run a little against the ids.
LATE_MS = 1_000
# A stretch is no longer than this, so that it fits into memory.
LONGEST_MS = 12 * 3_600_000
MOST_IDS = 2_000_000
KIND = "past"
# A minute's budget is back after a minute; a ban is longer, and nobody's to sit out here.
LONGEST_WAIT, MOST_WAITS = 90.0, 60
CAUSE = "not at the exchange"


@dataclass
class Past:
    """What has come of a stretch so far."""

    builder: TapeBuilder
    start_ms: int
    end_ms: int
    first_id: int = -1
    last_id: int = -1
    # a trade behind the end was seen; one so far behind that nothing of it can be missing
    is_ending: bool = False
    is_whole: bool = False
    missing: list[tuple[int, int]] = field(default_factory=list)

    def take(self, trades: list[Trade]) -> None:
        for trade in trades:
            at = ms_of(trade.time)
            if at >= self.end_ms + LATE_MS:
                self.is_whole = True
                break
            self.is_ending |= at >= self.end_ms
            if not self.is_ending:  # the ids up to here are all in the bars
                self.last_id = trade.id
            if self.start_ms <= at < self.end_ms:
                self._apply(trade)

    def _apply(self, trade: Trade) -> None:
        try:
            self.builder.apply([trade], 0)
        except MinuteNotHeld as older:  # nothing was ever let go: it had no trade yet
            self.builder.hold(older.minute, {})
            self.builder.apply([trade], 0)


async def fetch(
    instrument: Instrument,
    start_ms: int,
    end_ms: int,
    is_to_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Keep the tape between two moments (epoch ms, whole seconds). False where the exchange does
    not know all of it (any more), or not yet, or when told to stop; then nothing is kept. Waits
    where the budget is used up: others go first.

    Raises the REST adapter's other errors, and ValueError for a stretch that is too long.
    """
    if end_ms - start_ms > LONGEST_MS:
        raise ValueError(f"expected at most {LONGEST_MS // 3_600_000} hours")
    client, database = store.connect(settings.REDIS_URL), DatabaseThread()
    rest = public_rest(instrument.market, client)
    try:
        past = await _read(Patient(rest, is_to_stop), instrument, start_ms, end_ms)
        if past is not None:
            await database.run(_keep, instrument, past)
        return past is not None
    finally:
        await rest.close()
        database.close()
        await client.aclose()


class Patient:
    """The REST adapter, waiting for room in the budget, a limited number of times."""

    def __init__(self, rest: PublicRest, is_to_stop: Callable[[], bool]) -> None:
        self._rest = rest
        self._is_to_stop = is_to_stop
        self._waits = MOST_WAITS

    async def first_id_since(self, symbol: str, start_ms: int) -> int | None:
        return await self._wait(lambda: self._rest.first_id_since(symbol, start_ms, KIND))

    async def oldest_id(self, symbol: str) -> int | None:
        return await self._wait(lambda: self._rest.oldest_id(symbol))

    async def trades_from(self, symbol: str, first_id: int, kind: str = KIND) -> list[Trade]:
        return await self._wait(lambda: self._rest.trades_from(symbol, first_id, kind))

    async def _wait(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            if self._is_to_stop():
                raise TryAgain("told to stop")
            try:
                return await call()
            except MustWait as reason:
                if reason.seconds > LONGEST_WAIT or self._waits == 0:
                    raise
                self._waits -= 1
                for _ in range(int(reason.seconds) + 1):
                    if not self._is_to_stop():
                        await asyncio.sleep(1)


async def _read(rest: Patient, instrument: Instrument, start_ms: int, end_ms: int) -> Past | None:
    symbol = instrument.symbol
    first_id = await rest.first_id_since(symbol, start_ms)
    if first_id is None:
        return None
    # the one before it must be older, else this is only where the exchange's memory begins
    proof = await rest.trades_from(symbol, max(0, first_id - 1))
    if not proof or proof[0].id != first_id - 1 or ms_of(proof[0].time) >= start_ms:
        return None
    ticks = ticks_of(proof[0].time)
    builder = TapeBuilder(SETS[instrument.band_set], ticks, detail=instrument.key.detail)
    past = Past(builder, start_ms, end_ms, first_id, first_id - 1)
    async for piece in pages(rest, symbol, first_id, first_id + MOST_IDS, KIND):
        past.missing += piece.unfillable
        past.take(piece.trades)
        if past.is_whole:
            return past
    return None


@transaction.atomic
def _keep(instrument: Instrument, past: Past) -> None:
    bars = [bar for minute in past.builder.held.values() for bar in minute.values()]
    bars.sort(key=lambda bar: bar.time)
    if bars:
        partitions.prepare(from_seconds(bars[0].time), from_seconds(bars[-1].time))
    gaps = [
        GapRecord(first, last, past.start_ms, past.end_ms, CAUSE, "unfillable")
        for first, last in past.missing
        if last <= past.last_id
    ]
    archive.save(instrument.pk, instrument.band_set, bars, None, gaps)
    stretch = coverage.Stretch(past.first_id, past.last_id, past.start_ms, past.end_ms)
    coverage.add(instrument.pk, [stretch])
    log.info(
        "past fetched",
        tape=str(instrument.key),
        trades=past.last_id - past.first_id + 1,
        seconds=(past.end_ms - past.start_ms) // 1000,
    )
