"""A tape for the collector: its writer where it stands, with what an absence leaves out."""

from functools import partial

import structlog

from market.archive import coverage
from market.archive import seconds as archive
from market.binance.errors import ExchangeError
from market.collector.board import Board
from market.collector.rebuild import Place
from market.collector.tapes import Outside, Tape
from market.collector.watch import last_run
from market.collector.writer import TapeWriter
from market.flow.bands import SETS
from market.instruments import Followed
from market.jobs.database import DatabaseThread

log = structlog.get_logger(__name__)

# A tape that is followed again after so long was away on purpose.
ABSENT_MS = 600_000


async def open_tape(item: Followed, outside: Outside, database: DatabaseThread) -> Tape:
    """Where Redis, else PostgreSQL has it; a new one has no beginning yet."""
    bands, hot = SETS[item.band_set], outside.hot
    writer = TapeWriter(
        item.key,
        bands,
        hot,
        partial(database.run, archive.resume_state, item.id),
        lambda start, end: database.run(archive.load, item.id, start, end),
        partial(database.run, archive.load_open_gaps, item.id),
        partial(database.run, archive.saved_newest, item.id),
    )
    await writer.load()
    await _leave_out_absence(item, writer, outside, database)
    return Tape(item, writer, Place(item.key, item.id, bands, hot, database), Board(item.key))


async def _leave_out_absence(
    item: Followed, writer: TapeWriter, outside: Outside, database: DatabaseThread
) -> None:
    """A tape that was let go and is followed again: nobody asked for what lies between. What was
    kept stays covered, and the tape goes on with the newest trades."""
    # a tape that was let go before anything of it was covered was there when it began
    seen_ms = max(writer.covered_from, writer.covered_to)
    is_absence = item.followed_ms >= seen_ms + ABSENT_MS
    if not writer.has_begun or not is_absence or item.since_ms:
        return  # a tape that shall reach back has no holes
    try:
        rows = await outside.rest.newest_trades(item.key.symbol)
    except ExchangeError as error:
        log.warning("absence not left out", tape=str(item.key), error=str(error))
        return
    last_id, newest = writer.cursor.last_id or 0, last_run(rows)
    if newest and newest[0].id > last_id + 1:
        kept = (last_id, writer.covered_from, writer.covered_to)
        await database.run(coverage.keep_live, item.id, *kept)
        writer.skip_absence(newest)
