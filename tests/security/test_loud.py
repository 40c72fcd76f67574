"""Who takes most of a process's time beside others."""

import pytest
from django.test import Client

from accounts import limits
from accounts import shares as sharing
from accounts.models import User
from accounts.services.tokens import issue_token
from accounts.shares import BESIDE_OTHERS, CALM_SECONDS, Cost, Shares
from tests.security.conftest import Clock, work


def test_who_takes_most_of_the_process_beside_others_is_loud(known: Shares, clock: Clock) -> None:
    known.asks("u2")
    work(known, clock, "u1", 0.5, 0.5)
    known.asks("u2")
    assert known.is_loud("u1")
    assert not known.is_loud("u2")
    assert 0.5 * (1 / BESIDE_OTHERS - 1) <= known.pause("u1") <= sharing.LONGEST_PAUSE


def test_who_is_alone_never_waits(known: Shares, clock: Clock) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    assert not known.is_loud("u1")
    known.asks("u2")
    assert known.is_loud("u1")
    clock.now += 16
    known.charge("u1", Cost(0.1))
    assert not known.is_loud("u1"), "the other has gone"


def test_strangers_are_not_waited_for(known: Shares, clock: Clock) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    known.asks("a192.0.2.7")
    assert not known.is_loud("u1")


def test_who_asks_little_never_waits(known: Shares, clock: Clock) -> None:
    known.asks("u2")
    work(known, clock, "u1", 0.1, 0.5)
    known.asks("u2")
    assert not known.is_loud("u1")


def test_who_asks_one_thing_after_another_never_waits(known: Shares, clock: Clock) -> None:
    for _ in range(60):
        known.asks("u2")
        clock.now += 0.5
        known.charge("u1", Cost(0.2, 0.25))
        assert not known.is_loud("u1")


def test_many_at_once_in_the_database_are_loud(known: Shares, clock: Clock) -> None:
    for _ in range(30):
        known.asks("u2")
        clock.now += 0.5
        known.charge("u1", Cost(0.05, 1.5))
    assert known.is_loud("u1")


def test_nobody_waits_for_somebody_loud(known: Shares, clock: Clock) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    work(known, clock, "u2", 0.5, 0.5)
    known.charge("u1", Cost(2))
    known.asks("u1")
    assert not known.is_loud("u2")
    known.asks("u3")
    assert known.is_loud("u1")
    assert known.is_loud("u2")


def test_a_cheap_request_makes_the_pause_after_a_dear_one_no_shorter(
    known: Shares, clock: Clock
) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    known.asks("u2")
    clock.now += known.pause("u1")
    known.charge("u1", Cost(0.2))
    known.charge("u1", Cost(0.001))
    assert known.pause("u1") == pytest.approx(0.201 * (1 / BESIDE_OTHERS - 1))
    known.charge("u1", Cost(5))
    assert known.pause("u1") == pytest.approx(sharing.LONGEST_PAUSE)


def test_who_has_been_calm_is_as_before(known: Shares, clock: Clock) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    clock.now += known.pause("u1") + CALM_SECONDS
    known.asks("u2")
    assert not known.is_loud("u1")


def test_who_asks_as_soon_as_it_may_stays_loud(known: Shares, clock: Clock) -> None:
    work(known, clock, "u1", 0.5, 0.5)
    for _ in range(20):
        clock.now += known.pause("u1") + 1
        known.asks("u2")
        assert known.is_loud("u1")
        known.charge("u1", Cost(2))


def test_whom_another_process_found_loud_waits_here_too(known: Shares, clock: Clock) -> None:
    known.asks("u2")
    known.hears("u1", 3.0)
    assert known.is_loud("u1")
    assert known.pause("u1") == pytest.approx(3)
    known.hears("u1", 1.0)
    assert known.pause("u1") == pytest.approx(3), "the longer pause holds"
    clock.now += 3 + CALM_SECONDS
    known.asks("u2")
    assert not known.is_loud("u1")
    known.hears("u1", 3600.0)
    assert known.pause("u1") == pytest.approx(sharing.LONGEST_PAUSE), "a clock was set back"


@pytest.mark.django_db
def test_the_other_processes_hear_who_is_loud(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers = {
        user: Client(headers={"Authorization": f"Token {issue_token(user=user)}"})
        for user in (alice, bob)
    }
    loud, calm = f"u{alice.pk}", f"u{bob.pk}"
    here, elsewhere = Shares(), Shares()
    here.hears(loud, -1.0)
    for process, user in [(here, bob), (here, alice), (elsewhere, bob)]:
        monkeypatch.setattr(limits, "shares", process)
        assert browsers[user].get("/api/fills").status_code == 200
    assert elsewhere.is_loud(loud)
    assert not elsewhere.is_loud(calm)
    assert 0 < elsewhere.pause(loud) <= sharing.LONGEST_PAUSE
    refused = browsers[alice].get("/api/fills")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= sharing.LONGEST_PAUSE
