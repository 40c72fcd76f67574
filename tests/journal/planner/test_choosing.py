"""Whose fills the planner looks after."""

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Fill, FillFlow
from journal.models.guests import FIRST, LABEL
from journal.planner import choosing
from journal.planner.choosing import Turn
from journal.services import demo
from lib.parking import Parking
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


def test_an_account_whose_trades_cannot_be_read_holds_nobody_up(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in (alice, bob):
        waiting_fill(make_account(user))
    real, asked = Turn._newest_of, []

    def ill(turn: Turn, account: ExchangeAccount, count: int) -> list[Fill]:
        asked.append(account.user.username)
        if account.user == alice:
            raise ValueError("ill")
        return real(turn, account, count)

    monkeypatch.setattr(choosing, "_parked", Parking(first=60.0, longest=86_400.0))
    monkeypatch.setattr(Turn, "_newest_of", ill)
    monkeypatch.setattr(Turn, "SOURCES", ("_newest",))
    assert chosen() == {"bob"}
    assert chosen() == {"bob"}
    assert sorted(asked) == ["alice", "bob", "bob"], "who is ill waits, longer each time"
