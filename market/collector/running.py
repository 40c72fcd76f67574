"""A collector inside a Celery worker's thread: lease, event loop, stop on SIGTERM."""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence

import structlog
import uvloop
from django.conf import settings
from django.db import DatabaseError

from market.archive import partitions
from market.binance.budgets import public_rest
from market.collector.collector import Collector
from market.collector.tapes import Outside
from market.hot import store
from market.instruments import Followed, InstrumentKey
from market.jobs import lease
from market.jobs.shutdown import shutdown

log = structlog.get_logger(__name__)

# A slice ends on purpose now and then: memory is given back and new code comes in.
SLICE_SECONDS = 6 * 3600

FindMembers = Callable[[Collection[InstrumentKey]], Sequence[Followed]]

# What this process collects now.
held: set[str] = set()


def collect_share(share: str, find_members: FindMembers, *, ends_empty: bool = False) -> bool:
    """Collect until shutdown, the slice's end or the loss of the lease.

    Returns False at once when another one holds the share.
    """
    holder = lease.new_holder()
    if shutdown.is_set() or not lease.acquire(share, holder):
        return False
    held.add(share)
    log.info("collector starts", share=share, holder=holder)
    try:
        partitions.prepare_ahead()  # beat's hourly round may be an hour away
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_collect(share, holder, find_members, ends_empty))
    finally:
        held.discard(share)
        try:
            lease.release(share, holder)
        except DatabaseError:
            log.warning("lease not released", share=share)
    log.info("collector ends", share=share)
    return True


async def _collect(share: str, holder: str, find_members: FindMembers, ends_empty: bool) -> None:
    client = store.connect(settings.REDIS_URL)
    market = market_of(share)
    outside = Outside(
        hot=store.HotStore(client),
        rest=public_rest(market, client),
        stream_url=_stream_url(market),
        data_stream_url="" if market == "usdm" else settings.BINANCE_SPOT_DATA_STREAM_URL,
        find_members=find_members,
        market=market,
        hot_seconds=settings.HOT_SECONDS_TTL,
        hot_minutes=settings.HOT_MINUTES_TTL,
        ends_empty=ends_empty,
    )
    collector = Collector(share, holder, outside)
    watch = asyncio.create_task(_stop_in_time(collector))
    try:
        await collector.run()
    finally:
        watch.cancel()
        await client.aclose()


def market_of(share: str) -> str:
    """`venue:market:…`; any other name is a spot share."""
    return "usdm" if share.split(":")[1:2] == ["usdm"] else "spot"


def _stream_url(market: str) -> str:
    is_usdm = market == "usdm"
    url: str = settings.BINANCE_FUTURES_STREAM_URL if is_usdm else settings.BINANCE_SPOT_STREAM_URL
    return url


async def _stop_in_time(collector: Collector) -> None:
    seconds = SLICE_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311  (not all at once)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not shutdown.is_set() and loop.time() < end:
        await asyncio.sleep(0.2)
    collector.stop.set()
