"""The market's Celery tasks: each fetches what it needs and calls one service."""

import contextlib
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from lib.lazy import Lazy
from market.archive import partitions, rollups
from market.asking import granting
from market.binance.errors import ExchangeError
from market.collector import running, shares
from market.jobs import lease
from market.jobs.shutdown import shutdown
from market.models import Instrument
from market.services import backing_up, funding, listings
from market.services.following import follow_first_symbols
from market.vision import jobs

if TYPE_CHECKING:
    from market.archive import retention
else:  # with polars
    retention = Lazy("market.archive.retention")

log = structlog.get_logger(__name__)


@worker_shutting_down.connect
def stop_collectors(**kwargs: Any) -> None:
    """SIGTERM reaches the worker's main thread; the collectors look at the event."""
    shutdown.set()


@worker_ready.connect
def say_that_we_take_shares(sender: Any, **kwargs: Any) -> None:
    """A worker of the collectors' queue is counted, also while it has no share."""
    queues = {queue.name for queue in sender.task_consumer.queues}
    if "collectors" in queues:
        threading.Thread(target=_beat_for_ever, args=(sender.hostname,), daemon=True).start()


@shared_task(name="market.supervise_collectors")
def supervise_collectors() -> None:
    """Every few seconds: start a collector for each share that nobody holds."""
    follow_first_symbols()
    for share in shares.names():
        if not lease.is_held(share):
            collect.apply_async((share,), expires=5)


@shared_task(name="market.collect", acks_late=False)
def collect(share: str) -> None:
    """Collect a share; early-acknowledged, since the lease and not the broker keeps it alive. A
    worker with its part of the shares, or with the other half of a pair, leaves it to another."""
    first = share.removesuffix(shares.STANDBY)
    pair = {first, first + shares.STANDBY}
    is_alone = shares.count_workers() < 2
    if not is_alone and (len(running.held) >= shares.quota() or pair & running.held):
        return
    members = partial(shares.members, share)
    did = running.collect_share(share, members, ends_empty=not shares.is_first(share))
    if did and not shutdown.is_set():
        supervise_collectors.apply_async(expires=5)


def _beat_for_ever(hostname: str) -> None:
    worker = f"{hostname}:{os.getpid()}"
    while True:
        try:
            close_old_connections()
            shares.beat(worker)
        except DatabaseError as error:
            log.warning("worker not counted", error=type(error).__name__)
        finally:
            connection.close()
        if shutdown.wait(shares.BEAT_SECONDS):
            break
    with contextlib.suppress(DatabaseError):
        shares.leave(worker)


@shared_task(name="market.roll_up")
def roll_up() -> None:
    """Minutes, hours and days of the hours that are due; the rest waits for the next run."""
    rollups.roll_up_due()


@shared_task(name="market.retain")
def retain() -> None:
    """Old bars leave PostgreSQL, as Parquet first."""
    retention.retain_alone()


@shared_task(name="market.back_up")
def back_up() -> None:
    """The day's backup, once its hour has passed; taken away and tried when it is time."""
    backing_up.work_through()


@shared_task(name="market.import_vision")
def import_vision() -> None:
    """Imports that were asked for on the staff page, one after the other; also those that were
    killed with their worker."""
    while (job_id := jobs.next_one()) is not None and not shutdown.is_set():
        jobs.run(job_id)


@shared_task(name="market.prepare_partitions")
def prepare_partitions() -> None:
    partitions.prepare_ahead()


@shared_task(name="market.read_funding")
def read_funding() -> None:
    """What followed futures have settled."""
    funding.read_funding()


@shared_task(name="market.fetch_past")
def fetch_past(instrument_id: int, grain: int, requests: list[tuple[int, int]]) -> None:
    """Candles that somebody looks at."""
    instrument = Instrument.objects.filter(pk=instrument_id).first()
    if instrument is not None:
        granting.grant(instrument, grain, [(start, end) for start, end in requests])


@shared_task(name="market.prepare_charts")
def prepare_charts() -> None:
    """The first picture of markets that are newly followed."""
    granting.prepare_charts()


@shared_task(name="market.refresh_listings")
def refresh_listings() -> None:
    """What the exchange lists: new symbols, other statuses and filters."""
    for market in listings.PATHS:
        try:
            listings.refresh_if_stale(market)
        except ExchangeError as error:
            log.warning("list not refreshed", market=market, error=type(error).__name__)
