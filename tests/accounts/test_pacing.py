"""Long work for one user in a worker, beside others who ask for pages."""

import time
from collections.abc import Iterator

import pytest
import redis

from accounts import limits, pacing
from accounts.pacing import BESIDE_OTHERS, LONGEST_REST, Pace
from accounts.shares import THERE_SECONDS


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were rested; each part of the work takes a twentieth."""
    worked = iter(range(1_000))
    rested: list[float] = []
    monkeypatch.setattr(time, "thread_time", lambda: next(worked) * 0.05)
    monkeypatch.setattr(time, "sleep", rested.append)
    monkeypatch.setattr(pacing, "has_few_cores", lambda: True)
    return rested


@pytest.fixture
def somebody_asks(empty_redis: redis.Redis) -> Iterator[None]:
    limits.take("read", "u2")
    yield


def test_beside_others_it_rests_in_proportion(rests: list[float], somebody_asks: None) -> None:
    told = Pace("u1").rest()
    assert [told] == rests == [pytest.approx(0.05 * (1 / BESIDE_OTHERS - 1))]


def test_no_rest_is_long(
    rests: list[float], somebody_asks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter([0.0, 60.0, 60.0])
    monkeypatch.setattr(time, "thread_time", lambda: next(taken))
    Pace("u1").rest()
    assert rests == [LONGEST_REST]


def test_strangers_hide_nobody(rests: list[float], somebody_asks: None) -> None:
    for number in range(20):
        limits.take("read", f"a192.0.2.{number}")
    Pace("u1").rest()
    assert len(rests) == 1


def test_alone_it_does_not_rest(rests: list[float]) -> None:
    limits.take("read", "u1")
    limits.take("read", "a192.0.2.7")
    assert Pace("u1").rest() == 0
    assert rests == []


def test_who_asked_long_ago_is_not_there(
    rests: list[float], somebody_asks: None, empty_redis: redis.Redis
) -> None:
    empty_redis.zadd(limits.ASKING, {"u2": time.time() - THERE_SECONDS - 1})
    Pace("u1").rest()
    assert rests == []


def test_where_a_core_is_free_it_does_not_rest(
    rests: list[float], somebody_asks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "has_few_cores", lambda: False)
    Pace("u1").rest()
    assert rests == []


def test_without_redis_the_work_goes_on(
    rests: list[float], somebody_asks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(pacing, "others_ask", away)
    Pace("u1").rest()
    assert rests == []
