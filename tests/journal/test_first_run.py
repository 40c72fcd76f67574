"""Whether home waits is asked without counting, and is what the page of the reading says."""

from itertools import product

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Sync
from journal.selectors.first_run import is_anything_read, readings
from tests.journal.accounts import make_account, make_fill

pytestmark = pytest.mark.django_db
KINDS = list(product(("abcd", ""), (None, "begun", "finished"), (False, True)))


def connect(user: User, key: str, sync: str | None, has_fills: bool) -> None:
    account = make_account(user, f"{key}{sync}{has_fills}")
    ExchangeAccount.objects.filter(pk=account.pk).update(last_four=key)
    if sync is not None:
        finished = timezone.now() if sync == "finished" else None
        Sync.objects.create(account=account, finished_at=finished)
    if has_fills:
        make_fill(account, 1, "BUY", "100").save()


@pytest.mark.parametrize("kinds", [*([kind] for kind in KINDS), KINDS[:1] + KINDS[2:3], KINDS])
def test_it_is_what_the_readings_say(
    alice: User, bob: User, kinds: list[tuple[str, str | None, bool]]
) -> None:
    connect(bob, "abcd", "finished", True)
    for kind in kinds:
        connect(alice, *kind)
    assert is_anything_read(alice) == any(part.is_read for part in readings(alice))
    assert is_anything_read(bob)


def test_without_an_account_nothing_is_read(alice: User) -> None:
    assert not is_anything_read(alice)
