"""Whose fills the planner looks after."""

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import FillFlow
from journal.models.guests import FIRST, LABEL
from journal.planner.choosing import Turn
from journal.services import demo
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def waiting_fill(account: ExchangeAccount) -> None:
    fill = make_fill(account, 1, "BUY", "100")
    trades_of(account, fill)
    flow = {"stage": FillFlow.Stage.BANDS, "stamped_at": timezone.now()}
    FillFlow.objects.update_or_create(fill=fill, defaults=flow)


def chosen() -> set[str]:
    turn = Turn(FillFlow.Stage.BANDS, "spot", timezone.now())
    return {fill.account.user.username for fill in turn.fills(10)}


def test_copies_of_a_demo_wait_for_it_and_ask_for_nothing(alice: User) -> None:
    original = demo.owner_of_original()
    for user in (alice, original):
        waiting_fill(make_account(user, LABEL))
    assert chosen() == {"alice", original.username}, "it is the first itself"
    waiting_fill(make_account(User.objects.create_user(FIRST, "demo@example.org"), LABEL))
    assert chosen() == {"alice", FIRST}
