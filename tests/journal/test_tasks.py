"""Tasks that go through everybody: one ill user holds nobody up."""

from threading import Semaphore
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from journal import tasks
from journal.models import Preferences, Sync
from journal.models.guests import LABEL
from journal.planner import rounds
from journal.services import demo, demo_notes
from journal.stamps import stamping
from market.jobs import locks
from tests.journal.accounts import make_account

pytestmark = pytest.mark.django_db


def test_one_demo_that_cannot_be_reviewed_does_not_stop_the_next(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        account = make_account(user, LABEL)
        Sync.objects.create(account=account, state="complete", finished_at=timezone.now())
        Preferences.objects.update_or_create(user=user, defaults={"demo": demo.ADDED})
    tried = []

    def review(user: User, account: Any) -> int:
        tried.append(user)
        if user == alice:
            raise ValueError("ill")
        return 3

    monkeypatch.setattr(demo, "is_possible", lambda: True)
    monkeypatch.setattr(demo, "prepare", list)
    monkeypatch.setattr(demo_notes, "review_some", review)
    tasks.keep_demo()
    tasks.keep_demo()
    assert sorted(user.pk for user in tried) == sorted([alice.pk, bob.pk])
    assert Preferences.objects.get(user=bob).demo == demo.TOLD
    assert Preferences.objects.get(user=alice).demo == demo.ADDED
    tasks.parked.clear(f"demo {alice.pk}")


def test_copies_that_nobody_has_are_not_stamped_while_the_planner_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamped: list[bool] = []

    def stamp_due(*, asleep: bool = False) -> int:
        stamped.append(asleep)
        return 0

    monkeypatch.setattr(stamping, "stamp_due", stamp_due)
    with locks.held(tasks.PLANNER) as lock:
        assert lock is not None
        tasks.stamp()
    assert stamped == [False]
    tasks.resting.clear(tasks.ASLEEP)
    tasks.stamp()
    assert stamped == [False, False, True]
    tasks.stamp()
    assert stamped == [False, False, True, False], "once a minute"
    tasks.resting.clear(tasks.ASLEEP)


def test_after_a_round_that_found_nothing_the_planner_looks_for_new_fills_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []
    found = iter([3, 0, 0, 2, 0])

    def work(is_to_stop: Any, stages: Any) -> int:
        asked.append([str(stage) for stage in stages])
        return next(found)

    monkeypatch.setattr(rounds, "work_round", work)
    tasks.resting.clear(tasks.PLANNER)
    for _round in range(5):
        tasks.plan_flow()
    everything = ["total", "seconds", "bands"]
    assert asked == [everything, everything, ["total"], ["total"], everything]
    tasks.resting.clear(tasks.PLANNER)


def test_histories_that_are_read_leave_threads_to_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has to wait takes no thread, and has its turn when one has ended, also with an error."""
    read: list[str] = []

    def synchronise(account_id: str, is_to_stop: Any) -> None:
        read.append(account_id)
        if account_id == "first":
            tasks.synchronise_account("second")
            assert read == ["first"]
        if account_id == "ill":
            raise ValueError("ill")

    monkeypatch.setattr(tasks, "_reading", Semaphore(1))
    monkeypatch.setattr(tasks, "synchronise", synchronise)
    tasks.synchronise_account("first")
    tasks.synchronise_account("second")
    with pytest.raises(ValueError, match="ill"):
        tasks.synchronise_account("ill")
    tasks.synchronise_account("third")
    assert read == ["first", "second", "ill", "third"]
