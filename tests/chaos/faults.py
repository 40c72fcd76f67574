"""Every kind of fault of the campaign: what it does, and how long it lasts."""

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.db import DatabaseError, close_old_connections

from market.models import CollectorLease
from tests.chaos.system import System
from tests.waiting import comes_true

Strike = Callable[[System, float], None]
RACE = "race"
BEGUN_SECONDS = 30.0


@dataclass(frozen=True)
class Fault:
    """`strike` returns when the fault is over or under way; it lasts about `seconds`."""

    kind: str
    seconds: float
    strike: Strike


def kill_collector(system: System, seconds: float) -> None:
    for index, process in enumerate(system.collectors):
        process.kill()
        process.wait()
        system.collectors[index] = system.start_collector()
        if seconds < 1:
            return


def pause_collector(system: System, seconds: float) -> None:
    """Longer than its lease lives: another one takes over, and then the zombie wakes up."""
    for process in system.collectors:
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds / 2)
        process.send_signal(signal.SIGCONT)


def race_of_collectors(system: System, seconds: float) -> None:
    """A third one under another lease writes the same tapes at the same time: on a busy machine, or
    while the lease of the last one stands, it takes a while to begin."""
    before = _racer()
    third = system.start_collector("--share", RACE)
    comes_true(lambda: _racer() not in {"", before}, BEGUN_SECONDS)
    time.sleep(seconds)
    third.kill()
    third.wait()


def _racer() -> str:
    """Who holds the lease of the race; nobody where PostgreSQL does not say."""
    with contextlib.suppress(DatabaseError):
        close_old_connections()
        row = CollectorLease.objects.filter(share=RACE).first()
        return "" if row is None else str(row.holder)
    return ""


def kill_redis(system: System, seconds: float) -> None:
    assert system.servers.redis is not None
    system.servers.redis.kill()
    system.servers.redis.wait()
    time.sleep(seconds)
    system.servers.restart_dead()


def wipe_redis(system: System, seconds: float) -> None:
    client = redis.Redis.from_url(system.places.redis_url)
    client.flushall()
    client.close()


def postgresql_down(system: System, seconds: float) -> None:
    assert system.servers.postgres is not None
    system.servers.postgres.send_signal(signal.SIGINT)
    system.servers.postgres.wait(20)
    time.sleep(seconds)
    system.servers.restart_dead()


def kill_postgresql(system: System, seconds: float) -> None:
    assert system.servers.postgres is not None
    system.servers.postgres.kill()
    system.servers.postgres.wait()
    time.sleep(seconds)
    system.servers.restart_dead()


def at_the_exchange(kind: str, **arguments: float | str | bool) -> Strike:
    def strike(system: System, seconds: float) -> None:
        lasting = {"seconds": seconds} if seconds and kind not in {"clock"} else {}
        system.inject(kind, **arguments, **lasting)
        if kind == "clock":
            time.sleep(seconds)
            system.inject("clock", ms=0)

    return strike


def faults(is_short: bool) -> list[Fault]:
    """The kinds, in no order; short campaigns have shorter outages."""
    long = 1.0 if is_short else 4.0
    status = {code: at_the_exchange("status", code=code, retry_after=3) for code in (429, 418)}
    return [
        Fault("kill a collector", 0.5, kill_collector),
        Fault("kill both collectors", 1.0, kill_collector),
        Fault("pause a collector", 6.0 * long, pause_collector),
        Fault("race of collectors", 8.0 * long, race_of_collectors),
        Fault("kill Redis", 1.0 * long, kill_redis),
        Fault("wipe Redis", 0.0, wipe_redis),
        Fault("PostgreSQL down", 5.0 if is_short else 60.0, postgresql_down),
        Fault("kill PostgreSQL", 1.0, kill_postgresql),
        Fault("cut", 0.0, at_the_exchange("cut")),
        Fault("drop", 3.0 * long, at_the_exchange("drop", rate=0.05)),
        Fault("double", 3.0 * long, at_the_exchange("double", rate=0.2)),
        Fault("swap", 3.0 * long, at_the_exchange("swap", rate=0.2)),
        Fault("truncate", 3.0 * long, at_the_exchange("truncate", rate=0.05)),
        Fault("unknown frame", 3.0 * long, at_the_exchange("unknown", rate=0.1)),
        Fault("wrong types", 3.0 * long, at_the_exchange("wrong_types", rate=0.05)),
        Fault("delay", 8.0, at_the_exchange("delay", ms=400)),
        Fault("silent stream", 5.0 * long, at_the_exchange("silence", stream="*@trade")),
        Fault("half-open", 0.0, at_the_exchange("half_open")),
        Fault("refused connections", 2.0 * long, at_the_exchange("refuse")),
        Fault("announced shutdown", 1.0, at_the_exchange("shutdown")),
        Fault("fillable hole", 0.0, at_the_exchange("hole", ids=300, fillable=True)),
        Fault("unfillable hole", 0.0, at_the_exchange("hole", ids=7)),
        Fault("REST behind", 4.0 * long, at_the_exchange("rest_lag", ms=4000)),
        Fault("429", 2.0, status[429]),
        Fault("418", 2.0, status[418]),
        Fault("5xx", 3.0 * long, at_the_exchange("status", code=503)),
        Fault("hanging REST", 2.0 * long, at_the_exchange("hang")),
        Fault("clock off", 4.0 * long, at_the_exchange("clock", ms=-3000)),
    ]
