"""The schedule: a change in the database counts soon and is not asked for at every tick, and a
worker is asked where there is something to do."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from accounts.models import ExchangeAccount, User
from config import beat
from config.celery import app
from tests.journal.accounts import make_account
from tests.waiting import until
from trading.models import OrderIntent, TradingSwitch

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
    assert scheduler.schedules_equal(None, scheduler.schedule)
    clock["now"] += beat.ASK_SECONDS
    assert MINE in scheduler.schedule
    # which the heap of what is due is made anew for, once
    assert not scheduler.schedules_equal(None, scheduler.schedule)
    assert scheduler.schedules_equal(None, scheduler.schedule)


def test_what_comes_every_few_seconds_is_due_as_its_base_class_says() -> None:
    scheduler = beat.Scheduler(app=app)
    scheduler.schedule_changed()
    entry = next(e for e in scheduler.schedule.values() if e.task == "journal.stamp")
    for ago in (0.0, 1.5, 4.9, 5.1, 3600.0):
        entry.last_run_at = timezone.now() - timedelta(seconds=ago)
        told, by_the_book = entry.is_due(), ModelEntry.is_due(entry)
        assert told.is_due == by_the_book.is_due == (ago > 5)
        assert told.next == pytest.approx(by_the_book.next, abs=0.05)
    assert not next(entry).is_due().is_due
    now = time.time()
    assert scheduler._when(entry, 2.0) == pytest.approx(now + 2, abs=0.05)
    assert DatabaseScheduler._when(scheduler, entry, 2.0) == pytest.approx(now + 2, abs=0.05)


def test_it_wakes_once_for_each_that_is_due() -> None:
    """Not over and over in the last hundredth of a second before."""
    scheduler = beat.Scheduler(app=app)
    scheduler.schedule_changed()
    entry = next(e for e in scheduler.schedule.values() if e.task == "journal.stamp")
    entry.last_run_at = timezone.now()
    # the beat takes what it is told for a pause, and sleeps so much less
    pause = scheduler.adjust(entry.is_due().next)
    entry.last_run_at -= timedelta(seconds=pause)
    assert entry.is_due().is_due


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"start_time": timezone.now() + timedelta(days=1)}]
)
def test_one_that_shall_not_come_now_does_not(change: dict[str, Any]) -> None:
    scheduler = beat.Scheduler(app=app)
    scheduler.schedule_changed()
    entry = next(e for e in scheduler.schedule.values() if e.task == "journal.stamp")
    entry.last_run_at = timezone.now() - timedelta(hours=1)
    assert entry.is_due().is_due
    for name, value in change.items():
        setattr(entry.model, name, value)
    assert not entry.is_due().is_due


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


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(
        DatabaseScheduler,
        "apply_entry",
        lambda _self, entry, producer=None: names.append(entry.task),
    )
    return names


def tick(*tasks: str) -> None:
    scheduler = beat.Scheduler(app=app, lazy=True)
    for task in tasks:
        scheduler.apply_entry(SimpleNamespace(task=task))


def test_a_worker_is_asked_only_where_there_is_something_to_do(
    sent: list[str], alice: User
) -> None:
    tick("alerts.deliver", "trading.resolve", "trading.follow", "journal.stamp")
    assert sent == ["journal.stamp"]
    TradingSwitch.objects.create(
        account=make_account(alice), is_on=True, until=timezone.now() - timedelta(seconds=1)
    )
    sent.clear()
    tick("alerts.deliver", "trading.resolve", "trading.follow")
    assert sent == ["trading.resolve", "trading.follow"]
    TradingSwitch.objects.all().delete()
    OrderIntent.objects.create(
        account=ExchangeAccount.objects.get(),
        user=alice,
        market="spot",
        symbol="BTCUSDT",
        body={},
        request={},
    )
    sent.clear()
    tick("trading.follow")
    assert sent == ["trading.follow"], "an order was made once"


def test_where_the_database_is_away_a_worker_is_asked(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> bool:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(beat, "_question", lambda _task: away)
    tick("trading.resolve")
    assert sent == ["trading.resolve"]


@pytest.mark.parametrize("task", beat.ASKS_FIRST)
def test_what_has_a_question_is_in_the_schedule(task: str) -> None:
    assert beat._question(task) is not None
    assert task in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
