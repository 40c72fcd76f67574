"""A stretch of a tape's past by trade ids, whether it is followed or not: for old fills, whose
surroundings nobody collected. Whole or not at all; the governor's background budget pays."""

from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import transaction

from lib.dates import from_seconds
from market import listings
from market.archive import coverage, partitions
from market.archive import seconds as archive
from market.binance.rest import PublicRest, rest_of
from market.collector.database import DatabaseThread
from market.collector.filler import pages
from market.flow.bands import SETS
from market.flow.tape import MinuteNotHeld, TapeBuilder
from market.flow.trades import Trade
from market.hot import store
from market.hot.codec import GapRecord
from market.models import Instrument

log = structlog.get_logger(__name__)

MICROSECONDS_FROM = 10**14
# Trade times may run a little against the ids.
LATE_MS = 1_000
# A stretch is no longer than this, so that it fits into memory.
LONGEST_MS = 12 * 3_600_000
MOST_IDS = 2_000_000
CAUSE = "not at the exchange"


@dataclass
class Past:
    """What has come of a stretch so far."""

    builder: TapeBuilder
    start_ms: int
    end_ms: int
    first_id: int = -1
    last_id: int = -1
    is_whole: bool = False
    missing: list[tuple[int, int]] = field(default_factory=list)

    def take(self, trades: list[Trade]) -> None:
        for trade in trades:
            if _ms(trade) >= self.end_ms + LATE_MS:
                self.is_whole = True
                break
            self.last_id = trade.id
            if self.start_ms <= _ms(trade) < self.end_ms:
                self._apply(trade)

    def _apply(self, trade: Trade) -> None:
        try:
            self.builder.apply([trade], 0)
        except MinuteNotHeld as older:  # nothing was ever let go: it had no trade yet
            self.builder.hold(older.minute, {})
            self.builder.apply([trade], 0)


async def fetch(instrument: Instrument, start_ms: int, end_ms: int) -> bool:
    """Keep the tape between two moments (epoch ms, whole seconds). False where the exchange does
    not know all of it (any more), or not yet; then nothing is kept.

    Raises the REST adapter's errors, and ValueError for a stretch that is too long.
    """
    if end_ms - start_ms > LONGEST_MS:
        raise ValueError(f"expected at most {LONGEST_MS // 3_600_000} hours")
    client, database = store.connect(settings.REDIS_URL), DatabaseThread()
    is_usdm = instrument.key.is_aggregated
    address = settings.BINANCE_FUTURES_API_URL if is_usdm else settings.BINANCE_SPOT_API_URL
    governor = listings.governors(client)["fapi" if is_usdm else "api"]
    rest = rest_of(instrument.market)(address, governor)
    try:
        past = await _read(rest, instrument, start_ms, end_ms)
        if past is not None:
            await database.run(_keep, instrument, past)
        return past is not None
    finally:
        await rest.close()
        database.close()
        await client.aclose()


async def _read(
    rest: PublicRest, instrument: Instrument, start_ms: int, end_ms: int
) -> Past | None:
    symbol = instrument.symbol
    first_id = await rest.first_id_since(symbol, start_ms)
    if first_id is None:
        return None
    # the one before it must be older, else this is only where the exchange's memory begins
    proof = await rest.trades_from(symbol, max(0, first_id - 1), "backfill")
    if not proof or proof[0].id != first_id - 1 or _ms(proof[0]) >= start_ms:
        return None
    ticks = 1_000_000 if proof[0].time >= MICROSECONDS_FROM else 1000
    builder = TapeBuilder(
        SETS[instrument.band_set], ticks, lacks_trade_unit=instrument.key.is_aggregated
    )
    past = Past(builder, start_ms, end_ms, first_id, first_id - 1)
    async for found in pages(rest, symbol, first_id, first_id + MOST_IDS, "backfill"):
        past.missing += found.unfillable
        past.take(found.trades)
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
        "past fetched", tape=str(instrument.key), trades=past.last_id - past.first_id + 1,
        seconds=(past.end_ms - past.start_ms) // 1000,
    )  # fmt: skip


def _ms(trade: Trade) -> int:
    return trade.time // 1000 if trade.time >= MICROSECONDS_FROM else trade.time
