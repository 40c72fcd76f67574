"""The schedule: a change in the database counts soon, and is not asked for at every tick."""

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from config import beat
from config.celery import app
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
MINE = "a task of the admin's"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    clock = {"now": 100.0}
    moved = SimpleNamespace(monotonic=lambda: clock["now"])
    monkeypatch.setattr("config.beat.time", moved)
    return clock


def test_a_change_counts_within_seconds_and_costs_no_query_a_tick(
    clock: dict[str, float], django_assert_num_queries: Any
) -> None:
    scheduler = beat.Scheduler(app=app)
    assert MINE not in scheduler.schedule  # as it was at the start
    scheduler.schedule_changed()
    every = IntervalSchedule.objects.create(every=10, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name=MINE, task="market.roll_up", interval=every)
    PeriodicTasks.objects.update(last_update=timezone.now() + timedelta(seconds=1))
    with django_assert_num_queries(0):
        for _tick in range(20):
            assert MINE not in scheduler.schedule
    clock["now"] += beat.ASK_SECONDS
    assert MINE in scheduler.schedule


def test_beside_a_worker_it_begins_again_where_it_fails_and_ends_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Any] = []
    ended = threading.Event()

    class Failing:
        def __init__(self, app: Any, scheduler_cls: Any) -> None:
            begun.append(scheduler_cls)

        def start(self) -> None:
            if len(begun) == 1:
                raise OSError("the database is away")
            ended.wait(10)

        def stop(self) -> None:
            ended.set()

    monkeypatch.setattr(beat, "Service", Failing)
    monkeypatch.setattr(beat, "AGAIN_SECONDS", 0.01)
    worker = SimpleNamespace(app=app)
    assert not beat.Beside(worker).include_if(worker), "only where it is asked for"
    beside = beat.Beside(worker, with_beat=True)
    assert beside.include_if(worker)
    beside.start(worker)
    until(lambda: len(begun) == 2, what="the second beginning")
    beside.stop(worker)
    assert ended.is_set()
    assert len(begun) == 2
    assert beside._thread is not None
    assert not beside._thread.is_alive()
