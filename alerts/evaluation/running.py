"""An evaluator inside a worker's thread: lease, rounds, stop on SIGTERM.

The lease only saves work. What keeps events right is their alert's version, so that a holder that
lost its lease and has not noticed tells nothing twice.
"""

import threading
import time
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from alerts.evaluation.evaluator import Evaluator
from lib.parking import Parking
from market.jobs import lease

log = structlog.get_logger(__name__)

ROUND_SECONDS = 1.0
SLICE_SECONDS = 6 * 3600.0
LONGEST_PAUSE_SECONDS = 30.0
MARKETS = ("spot", "usdm")
# What an evaluator does in a round beside its market's bars.
Duty = Callable[[], None]


def share_of(market: str) -> str:
    return f"{settings.VENUE}:alerts:{market}"


def evaluate(market: str, duties: list[Duty], shutdown: threading.Event) -> bool:
    """Until shutdown, the slice's end or the loss of the lease. False when another one has it."""
    share, holder = share_of(market), lease.new_holder()
    if shutdown.is_set() or not lease.acquire(share, holder):
        return False
    log.info("alerts are watched", share=share, holder=holder)
    try:
        _run(share, holder, [_bars(market), *duties], shutdown)
    finally:
        try:
            lease.release(share, holder)
        except DatabaseError:
            log.warning("lease not released", share=share)
        connection.close()
    log.info("alerts are let go", share=share)
    return True


def _bars(market: str) -> Duty:
    evaluator = Evaluator(market)

    def one_round() -> None:
        evaluator.round()

    return one_round


def _run(share: str, holder: str, duties: list[Duty], shutdown: threading.Event) -> None:
    ends_at = time.monotonic() + SLICE_SECONDS
    renewed_at = time.monotonic()
    pause = ROUND_SECONDS
    parked = Parking()
    while not shutdown.is_set() and time.monotonic() < ends_at:
        began = time.monotonic()
        try:
            close_old_connections()
            if began - renewed_at >= lease.RENEW_SECONDS:
                if not lease.renew(share, holder, "connected"):
                    return
                renewed_at = began
            for number, duty in enumerate(duties):
                _do_apart(str(number), duty, parked)
            pause = ROUND_SECONDS
        except (redis.RedisError, DatabaseError) as error:
            # an unreachable store is not a lost lease: what was missed is looked at afterwards
            log.warning("alerts wait for a store", share=share, error=type(error).__name__)
            connection.close()
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        shutdown.wait(max(0.0, pause - (time.monotonic() - began)))


def _do_apart(name: str, duty: Duty, parked: Parking) -> None:
    """One ill duty holds no other up. Raises RedisError, DatabaseError."""
    if parked.is_parked(name):
        return
    try:
        duty()
    except (redis.RedisError, DatabaseError):
        raise
    except Exception:
        pause = parked.park(name)
        log.exception("a part of the alerts is set aside", duty=name, again_in=pause)
    else:
        parked.clear(name)
