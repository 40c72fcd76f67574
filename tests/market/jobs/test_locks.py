"""One worker at a time, on a real Redis."""

import threading

import pytest
import redis

from market.jobs import locks
from tests.away import redis_away


def test_a_lock_is_held_by_one_and_free_behind_it(empty_redis: redis.Redis) -> None:
    with locks.held("work") as lock:
        assert lock is not None
        with locks.held("work") as other:
            assert other is None
        with locks.held("other work") as apart:
            assert apart is not None
    with locks.held("work") as again:
        assert again is not None


def test_work_that_is_longer_than_the_lock_keeps_it(empty_redis: redis.Redis) -> None:
    renewed = threading.Event()
    with locks.held("work", seconds=0.3) as lock:
        assert lock is not None
        # longer than the lock: only renewals keep it
        assert not renewed.wait(0.9)
        assert not lock.is_lost
        with locks.held("work") as other:
            assert other is None


def test_a_lock_that_another_one_has_taken_is_lost_and_not_given_away(
    empty_redis: redis.Redis,
) -> None:
    with locks.held("work", seconds=0.3) as lock:
        assert lock is not None
        empty_redis.set("tl:lock:work", "somebody else")
        assert lock._lost.wait(5)
        assert lock.is_lost
    assert empty_redis.get("tl:lock:work") == b"somebody else"


def test_without_redis_nobody_works(
    empty_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = redis_away()
    monkeypatch.setattr(locks, "hot_client", lambda: dead)
    with locks.held("work") as lock:
        assert lock is None
