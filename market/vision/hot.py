"""The part of an import that Redis still has: the same compare-and-set as every other writer."""

import asyncio
from collections.abc import Mapping

from django.conf import settings

from market.archive import seconds as archive
from market.collector.rebuild import Place, rewrite
from market.flow.bands import BandSet
from market.flow.bars import Bar, roll_up
from market.flow.tape import TapeBuilder
from market.hot import keys, store
from market.hot.client import hot_client
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.selectors.reading import read_hot

# What is read, compared and written at once; a script of it holds Redis for a few milliseconds.
WINDOW_SECONDS = 1800


def mend(instrument: Instrument, bands: BandSet, start: int, end: int) -> None:
    """Minutes of Redis between (epoch s) that PostgreSQL has fuller or
    corrected, and their seconds, are written
    anew. Run again it changes nothing.

    Raises NotYet, redis.RedisError.
    """
    oldest = hot_client().zrange(keys.bars(instrument.key, "1m"), 0, 0)
    if not oldest:
        return
    start = max(start - start % 60, int(oldest[0]))  # type: ignore[index]
    for first in range(start, end, WINDOW_SECONDS):
        last = min(first + WINDOW_SECONDS, end - end % 60 + 60)
        _, hot, _, _ = read_hot(instrument.key, "1m", first, last)
        saved = archive.load(instrument.pk, first, last)
        fuller = [
            bar.time
            for bar in roll_up([saved[at] for at in sorted(saved)], 60)
            if bar.time in hot and _is_better(bar, hot[bar.time])
        ]
        if fuller:
            asyncio.run(_rewrite(instrument, bands, saved, set(fuller)))


def _is_better(saved: Bar, hot: Bar) -> bool:
    """Fuller, or of the same trades with other figures, as only a corrected file brings them."""
    return saved.trades > hot.trades or (saved.trades == hot.trades and saved.flow() != hot.flow())


async def _rewrite(
    instrument: Instrument, bands: BandSet, saved: Mapping[int, Bar], minutes: set[int]
) -> None:
    builder = TapeBuilder(bands, detail=instrument.key.detail)
    for at, bar in saved.items():
        if at // 60 * 60 in minutes:
            builder.held.setdefault(at // 60 * 60, {})[at] = bar
            builder.changed.add(at)
    client, database = store.connect(settings.REDIS_URL), DatabaseThread()
    try:
        place = Place(instrument.key, instrument.pk, bands, store.HotStore(client), database)
        await rewrite(place, builder)
    finally:
        database.close()
        await client.aclose()
