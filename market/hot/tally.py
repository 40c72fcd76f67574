"""What every process counts and times, added up in Redis, so that one scrape tells of all.

A process keeps its own additions and hands them over every two seconds; one that is killed loses
those. A Redis that was wiped begins at 0 again, which Prometheus takes for a restart.
"""

import contextlib
import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import Any

import redis

from market.hot.client import hot_client

KEY = "tl:tally"
FLUSH_SECONDS = 2.0
# No label comes from outside, so this is never reached; if it is, the rest goes untold.
MOST_FIELDS = 20_000
# A field of the hash: metric, label values, and a bucket's number, `sum` (µs) or `n`.
SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Timer:
    """A histogram of seconds; `bounds` are the upper ends of its buckets but for +Inf."""

    name: str
    text: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]


@dataclass(frozen=True)
class Count:
    """A counter; its name ends in `_total` when it is told."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


_pending: Counter[str] = Counter()
_lock = threading.Lock()


def count(what: Count, *labels: str, amount: int = 1) -> None:
    with _lock:
        _pending[_field(what.name, labels, "n")] += amount


def observe(what: Timer, seconds: float, *labels: str) -> None:
    bucket = str(bisect_left(what.bounds, seconds))
    with _lock:
        _pending[_field(what.name, labels, bucket)] += 1
        _pending[_field(what.name, labels, "sum")] += max(0, round(seconds * 1e6))


def hand_over() -> None:
    """Add what is pending to Redis. Raises RedisError: then it is pending still."""
    with _lock:
        handed = dict(_pending)
        _pending.clear()
    if not handed:
        return
    try:
        client = hot_client()
        known: Any = client.hlen(KEY)
        if known > MOST_FIELDS:
            return
        with client.pipeline(transaction=True) as pipe:
            for field, amount in handed.items():
                pipe.hincrby(KEY, field, amount)
            pipe.execute()
    except redis.RedisError:
        with _lock:
            _pending.update(handed)
            if len(_pending) > MOST_FIELDS:
                _pending.clear()
        raise


def totals() -> dict[tuple[str, tuple[str, ...], str], int]:
    """(metric, label values, bucket, `sum` or `n`) -> total of all processes. Raises RedisError."""
    told: Any = hot_client().hgetall(KEY)
    result = {}
    for field, amount in told.items():
        name, *labels, part = field.decode().split(SEPARATOR)
        result[name, tuple(labels), part] = int(amount)
    return result


def start() -> threading.Event:
    """Hand over in a thread of its own until the event is set, or the process ends."""
    stop = threading.Event()
    threading.Thread(target=_hand_over_for_ever, args=(stop,), daemon=True, name="tally").start()
    return stop


def _hand_over_for_ever(stop: threading.Event) -> None:
    while not stop.wait(FLUSH_SECONDS):
        with contextlib.suppress(redis.RedisError):
            hand_over()


def _field(name: str, labels: tuple[str, ...], part: str) -> str:
    return SEPARATOR.join((name, *labels, part))
