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
from market.collector.tapes import Outside, Tape
from market.hot import store
from market.jobs import lease
from market.services.following import find_followed
from tests.conftest import RunningSimulator, eventually


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


async def begun(collector: Collector) -> Tape:
    """The collector's one tape, as soon as it has a beginning."""
    await eventually(
        lambda: any(tape.writer.has_begun for tape in collector.tapes.values()),
        what="the beginning of a tape",
    )
    [tape] = collector.tapes.values()
    return tape


async def collected(collector: Collector, count: int) -> None:
    """Wait until the collector's one tape has so many trades more, and has heard as many."""
    writer = (await begun(collector)).writer
    last_id, frames = (writer.cursor.last_id or 0) + count, collector.frames + count
    await eventually(
        lambda: (writer.cursor.last_id or 0) >= last_id and collector.frames >= frames,
        what=f"{count} more trades",
    )


async def gaps_closed(tape: Tape) -> None:
    """Wait until nothing of a tape is still to be filled. Redis forgets a closed gap as soon as
    PostgreSQL has it, with what filled it."""

    async def are_closed() -> bool:
        return not await tape.place.hot.gaps(tape.followed.key)

    await eventually(are_closed, 30, "the gaps to be closed and saved")


async def struck(simulator: RunningSimulator, **times: int) -> None:
    """Wait until each of these faults has struck so often more."""
    counts = simulator.exchange.faults.counts
    wanted = {kind: counts[kind] + number for kind, number in times.items()}
    await eventually(
        lambda: all(counts[kind] >= number for kind, number in wanted.items()), 30, f"{times}"
    )
