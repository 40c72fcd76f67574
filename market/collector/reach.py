"""Reaching back on purpose: the trades between a wished moment and a tape's beginning are a gap."""

import time
from datetime import UTC, datetime

import structlog

from market.archive import partitions
from market.archive import seconds as archive
from market.binance.rest import REMEMBERED_MS, PublicRest
from market.collector.tapes import Tape
from market.hot.codec import GapRecord

log = structlog.get_logger(__name__)

CAUSE = "reaching back"


async def reach_back(tape: Tape, rest: PublicRest) -> bool:
    """Open the gap before the tape's beginning, once; the rebuild fills it, with progress.

    Returns whether there is one. Raises the REST adapter's errors.
    """
    since_ms, writer = tape.followed.since_ms, tape.writer
    if tape.followed.key.is_aggregated:  # the exchange does not remember more
        since_ms = max(since_ms, int(time.time() * 1000) - REMEMBERED_MS) if since_ms else 0
    if not since_ms or not writer.has_begun or writer.covered_from <= since_ms:
        return False
    database, instrument_id = tape.place.database, tape.followed.id
    begins = await database.run(archive.first_id, instrument_id, writer.covered_from // 1000)
    first_id = await rest.first_id_since(tape.followed.key.symbol, since_ms)
    if begins is None or first_id is None:
        return False  # nothing of the tape is in PostgreSQL yet
    await database.run(
        partitions.prepare,
        datetime.fromtimestamp(since_ms / 1000, UTC),
        datetime.fromtimestamp(writer.covered_from / 1000, UTC),
    )
    gap = None
    if first_id < begins:
        gap = GapRecord(first_id, begins - 1, since_ms, writer.covered_from, CAUSE, "open")
        log.info(
            "reaching back", tape=str(tape.followed.key), first_id=first_id, last_id=begins - 1
        )
    writer.reach_back(since_ms, gap)
    return gap is not None
