"""The lease of a reading outlasts computing that asks nobody, and is never shared."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from journal.models import Sync
from journal.sync import holding
from tests.journal.accounts import make_account
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "RENEW_SECONDS", 0.05)


def ends_at() -> float:
    until_ = Sync.objects.get().until
    assert until_ is not None
    return until_.timestamp()


def test_the_lease_is_renewed_while_nothing_is_asked(alice: User) -> None:
    account = make_account(alice)
    Sync.objects.create(account=account)
    assert holding.take(account, "me")
    with holding.Holding(account, "me") as held:
        Sync.objects.update(until=timezone.now() + timedelta(seconds=1))
        soon = ends_at()
        until(lambda: ends_at() > soon + 10)
        assert not holding.take(account, "another")
        assert not held.is_lost


def test_who_has_lost_it_hears_of_it_and_takes_nothing_back(alice: User) -> None:
    account = make_account(alice)
    Sync.objects.create(account=account)
    assert holding.take(account, "me")
    with holding.Holding(account, "me") as held:
        Sync.objects.update(holder="another")
        until(lambda: held.is_lost)
    assert Sync.objects.get().holder == "another"


def test_who_hangs_is_not_kept_alive(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(alice)
    Sync.objects.create(account=account)
    assert holding.take(account, "me")
    monkeypatch.setattr(holding, "MOST_SILENT_SECONDS", 0.0)
    with holding.Holding(account, "me") as held:
        until(lambda: not held._thread.is_alive())
        Sync.objects.update(until=timezone.now() - timedelta(seconds=1))
        assert holding.take(account, "another")
