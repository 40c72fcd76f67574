"""A collector in the test's own event loop, against any exchange."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from market.binance.governor import Governor, Limit
from market.binance.rest import rest_of
from market.binance.stream import Times
from market.collector.collector import Collector
from market.collector.running import market_of
from market.collector.tapes import Outside
from market.hot import store
from market.jobs import lease
from market.services.following import find_followed


@asynccontextmanager
async def collecting(
    http: str, ws: str, share: str = "simulator:spot:all", times: Times | None = None
) -> AsyncIterator[Collector]:
    """Runs from here to the end of the block, then stops as on SIGTERM and saves."""
    client = store.connect(settings.REDIS_URL)
    market = market_of(share)
    governor = Governor(client, Limit(http if market == "spot" else f"{http}/fapi", 60_000), 100)
    outside = Outside(
        store.HotStore(client),
        rest_of(market)(http, governor),
        ws,
        lambda having: find_followed(market),
        market=market,
        times=times or Times(),
    )
    holder = lease.new_holder()
    collector = Collector(share, holder, outside)
    await collector.database.run(lease.acquire, share, holder)
    task = asyncio.create_task(collector.run())
    try:
        yield collector
    finally:
        collector.stop.set()
        await asyncio.wait_for(task, 60)
        await client.aclose()
