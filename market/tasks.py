"""The market's Celery tasks: each fetches what it needs and calls one service."""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from market.archive import partitions
from market.collector import lease
from market.collector.running import collect_share, shutdown
from market.following import find_followed, follow_first_symbols


@worker_shutting_down.connect
def stop_collectors(**kwargs: Any) -> None:
    """SIGTERM reaches the worker's main thread; the collectors look at the event."""
    shutdown.set()


def spot_share() -> str:
    return f"{settings.VENUE}:spot"


@shared_task(name="market.supervise_collectors")
def supervise_collectors() -> None:
    """Every few seconds: start a collector for each share that nobody holds."""
    follow_first_symbols()
    share = spot_share()
    if not lease.is_held(share):
        collect.apply_async((share,), expires=5)


@shared_task(name="market.collect", acks_late=False)
def collect(share: str) -> None:
    """Collect a share; early-acknowledged, since the lease and not the broker keeps it alive."""
    if collect_share(share, find_followed) and not shutdown.is_set():
        supervise_collectors.apply_async(expires=5)


@shared_task(name="market.prepare_partitions")
def prepare_partitions() -> None:
    partitions.prepare_ahead()
