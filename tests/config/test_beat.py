"""The schedule: a change in the database counts soon, and is not asked for at every tick."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from config import beat
from config.celery import app

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
