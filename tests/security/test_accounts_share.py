"""What one user may ask of the exchange: accounts have a share, and a bad key is left alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tasks
from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from tests.journal.accounts import make_account


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked_at: list[str] = []

    class Task:
        @staticmethod
        def apply_async(words: tuple[str], **options: Any) -> None:
            looked_at.append(words[0])

    monkeypatch.setattr(tasks, "check_account", Task)
    return looked_at


def broken(account: ExchangeAccount, *, days: float, checked_hours_ago: float) -> None:
    now = timezone.now()
    ExchangeAccount.objects.filter(pk=account.pk).update(
        state="broken",
        api_key=b"x",
        broken_since=now - timedelta(days=days),
        checked_at=now - timedelta(hours=checked_hours_ago),
    )


def test_a_user_has_a_share_of_accounts(alice: User, bob: User, settings: Any) -> None:
    settings.ACCOUNTS_PER_USER = 2
    for number in range(2):
        connecting.make_keyless(user=alice, label=f"files {number}")
    with pytest.raises(connecting.CannotConnect, match="expected at most 2 accounts"):
        connecting.make_keyless(user=alice, label="one more")
    connecting.make_keyless(user=bob, label="his own")


@pytest.mark.parametrize(
    ("days", "hours", "is_asked"), [(1, 1, False), (1, 7, True), (4, 7, False)]
)
def test_a_bad_key_is_asked_seldom_and_then_not_at_all(
    alice: User, asked: list[str], days: float, hours: float, is_asked: bool
) -> None:
    account = make_account(alice, "main")
    broken(account, days=days, checked_hours_ago=hours)
    tasks.check_accounts()
    assert (asked == [str(account.pk)]) is is_asked
