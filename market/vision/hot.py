"""The part of an import that Redis still has: the same compare-and-set as every other writer."""

import asyncio
from collections.abc import Sequence

from django.conf import settings

from market.collector.database import DatabaseThread
from market.collector.rebuild import Place, rewrite
from market.flow.bands import BandSet
from market.flow.bars import Bar
from market.flow.tape import TapeBuilder
from market.hot import keys, store
from market.instruments import InstrumentKey
from market.models import Instrument
from market.reading import hot_client


def hot_since(tape: InstrumentKey) -> int | None:
    """Open time (epoch s) of the oldest minute in Redis, None when it has none.

    Raises redis.RedisError.
    """
    oldest = hot_client().zrange(keys.bars(tape, "1m"), 0, 0)
    return int(oldest[0]) if oldest else None  # type: ignore[index]


def rewrite_minutes(instrument: Instrument, bands: BandSet, bars: Sequence[Bar]) -> None:
    """Write these seconds and their minutes into Redis. Raises NotYet, redis.RedisError."""
    if bars:
        asyncio.run(_rewrite(instrument, bands, bars))


async def _rewrite(instrument: Instrument, bands: BandSet, bars: Sequence[Bar]) -> None:
    builder = TapeBuilder(bands)
    for bar in bars:
        builder.held.setdefault(bar.time // 60 * 60, {})[bar.time] = bar
        builder.changed.add(bar.time)
    client, database = store.connect(settings.REDIS_URL), DatabaseThread()
    try:
        place = Place(instrument.key, instrument.pk, bands, store.HotStore(client), database)
        await rewrite(place, builder)
    finally:
        database.close()
        await client.aclose()
