"""Guests: fresh ordinary users with a copy of the demo that was ready before they came."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.vault import keyring
from journal.models import (
    Annotation,
    Book,
    Fill,
    FillFlow,
    Guest,
    Preferences,
    Realized,
    Setup,
    Sync,
    Tag,
    Trade,
    TradeFill,
)
from journal.models.guests import LABEL, ORIGINAL, accounts_asleep
from journal.services import annotating, demo, guests
from journal.services.copying import copy_journal
from journal.stream.listening import _live_accounts
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db
DOOR = "/demo/guest/"


@pytest.fixture
def original(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> ExchangeAccount:
    """The demo's original, read and reviewed; the simulator is told what it would be asked."""
    settings.KEK_DIR = tmp_path / "keys"
    keyring.ensure()
    owner = demo.owner_of_original()
    account = make_account(owner, LABEL, binance_uid=1000)
    some_trades(account)
    trade = Trade.objects.filter(account=account, closed_at__isnull=False).first()
    assert trade is not None
    written = {"setup": "Breakout", "tags": ["A+"], "note": "waited", "planned_stop": "90"}
    Setup.objects.create(user=owner, name="Breakout")
    annotating.annotate(user=owner, trade=trade, changes=written)
    now = timezone.now()
    Sync.objects.create(account=account, state="complete", finished_at=now)
    for fill in Fill.objects.filter(account=account):
        FillFlow.objects.update_or_create(
            fill=fill, defaults={"stage": "bands", "basis": "candles_1m", "stamped_at": now}
        )
    Preferences.objects.update_or_create(user=owner, defaults={"demo": demo.TOLD})
    opened: list[int] = []

    async def ask(method: str, path: str, body: dict[str, Any]) -> Any:
        if method == "get":
            return []
        if method == "delete":
            return {}
        opened.append(len(opened))
        number = len(opened)
        return {"uid": 2000 + number, "apiKey": f"key{number:061d}", "secretKey": f"s{number:063d}"}

    monkeypatch.setattr(demo, "_ask", ask)
    monkeypatch.setattr(demo, "is_possible", lambda: True)
    return account


def test_a_copy_has_every_row_of_the_original_under_its_own_names(
    alice: User, original: ExchangeAccount
) -> None:
    target = make_account(alice, "copy")
    assert copy_journal(original, target, with_notes=True) > 0
    for model in (Fill, Trade, Realized):
        ours, theirs = (model.objects.filter(account=one).count() for one in (target, original))
        assert ours == theirs > 0
    keys = set(Trade.objects.filter(account=target).values_list("key", flat=True))
    assert all(key.startswith(str(target.pk)) for key in keys)
    note = Annotation.objects.get(user=alice)
    assert (note.note, note.trade_key in keys) == ("waited", True)
    assert note.setup is not None
    assert note.setup.user == alice
    assert [tag.user for tag in note.tags.all()] == [alice]
    parts = TradeFill.objects.filter(trade__account=target)
    assert {part.fill.account_id for part in parts.select_related("fill")} == {target.pk}


def test_without_notes_what_the_original_wrote_stays_with_it(
    alice: User, original: ExchangeAccount
) -> None:
    copy_journal(original, make_account(alice, "copy"), with_notes=False)
    assert not Annotation.objects.filter(user=alice).exists()
    assert not Tag.objects.filter(user=alice).exists()


def test_one_press_signs_a_fresh_ordinary_guest_in(
    client: Client, original: ExchangeAccount
) -> None:
    answer = client.post(DOOR, {"zone": "Asia/Seoul"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    home = client.get("/")
    assert home.status_code == 200
    user = home.wsgi_request.user
    assert isinstance(user, User)
    assert user.username.startswith("guest-")
    assert not (user.is_staff or user.is_superuser or user.has_usable_password())
    assert Trade.objects.visible_to(user).count() == Trade.objects.filter(account=original).count()
    assert Preferences.objects.get(user=user).zone == "Asia/Seoul"


@pytest.mark.parametrize("path", ["/account/exchange/connect/", "/account/tokens/"])
def test_what_needs_a_password_leads_a_guest_to_an_account_of_its_own(
    client: Client, original: ExchangeAccount, path: str
) -> None:
    client.post(DOOR, {})
    answer = client.get(path, follow=True)
    assert answer.status_code == 403
    assert "Not for guests" in answer.content.decode()
    assert "/accounts/logout/?next=/accounts/signup/" in answer.content.decode()


def test_guests_made_ahead_are_given_first_and_each_once(
    client: Client, original: ExchangeAccount
) -> None:
    assert guests.keep_ready() == guests.READY
    assert guests.keep_ready() == 0
    first, second = guests.welcome(), guests.welcome()
    assert first != second
    assert Guest.objects.count() == guests.READY
    third = guests.welcome()  # copied on the spot
    assert preferences_demo(third) == demo.TOLD


def test_nobody_is_made_ahead_of_the_originals_order_flow(original: ExchangeAccount) -> None:
    FillFlow.objects.update(stage=FillFlow.Stage.TOTAL, basis="")
    assert guests.keep_ready() == 0
    FillFlow.objects.update(refused="not_told")  # nobody tells it: not waited for
    assert guests.keep_ready() == guests.READY


def test_what_nobody_looks_at_is_not_read_again(original: ExchangeAccount) -> None:
    user = guests.welcome()
    guests.keep_ready()
    asleep = set(accounts_asleep().values_list("user__username", flat=True))
    waiting = Guest.objects.filter(taken_at=None).values_list("user__username", flat=True)
    assert asleep == {ORIGINAL, *waiting}
    assert user.username not in asleep


def test_what_nobody_looks_at_is_not_heard_either(original: ExchangeAccount) -> None:
    user = guests.welcome()
    guests.keep_ready()
    mine = ExchangeAccount.objects.get(user=user)
    assert set(_live_accounts()) == {str(mine.pk)}
    Sync.objects.filter(account=original).update(state=Sync.State.RUNNING)
    assert set(_live_accounts()) == {str(mine.pk), str(original.pk)}


def preferences_demo(user: User) -> str:
    return Preferences.objects.get(user=user).demo


def test_there_are_never_more_than_twenty(client: Client, original: ExchangeAccount) -> None:
    for number in range(guests.MOST):
        user = User.objects.create_user(f"guest-{number}", f"g{number}@example.org")
        Guest.objects.create(user=user, taken_at=timezone.now())
    answer = client.post(DOOR)
    assert answer["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session
    assert guests.keep_ready() == 0


def test_a_guest_is_gone_after_a_day_with_everything(original: ExchangeAccount) -> None:
    user = guests.welcome()
    waiting = guests.keep_ready()
    now = timezone.now()
    assert guests.remove_old(now + timedelta(hours=23)) == 0
    assert guests.remove_old(now + timedelta(hours=25)) == 1 + waiting
    assert not User.objects.filter(pk=user.pk).exists()
    assert not ExchangeAccount.objects.exclude(pk=original.pk).exists()
    assert not Annotation.objects.exclude(user__username=ORIGINAL).exists()


def test_before_the_original_is_read_a_guest_waits_for_it(
    client: Client, original: ExchangeAccount
) -> None:
    Preferences.objects.filter(user__username=ORIGINAL).update(demo=demo.ADDED)
    client.post(DOOR)
    page = client.get("/").content.decode()
    assert "is being prepared" in page
    Preferences.objects.filter(user__username=ORIGINAL).update(demo=demo.TOLD)
    assert demo.give_wanted() == 1
    assert "data-over" in client.get("/", headers={"X-Part": "refresh"}).content.decode()
    assert "You and the flow" in client.get("/").content.decode()


def test_there_are_no_guests_where_something_is_real(
    client: Client, original: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "is_possible", lambda: False)
    assert client.post(DOOR).status_code == 404
    assert "Explore the demo" not in client.get("/accounts/login/").content.decode()


def test_there_are_no_guests_where_nobody_may_sign_up(
    client: Client, original: ExchangeAccount, settings: Any
) -> None:
    settings.SIGN_UP = "closed"
    assert client.post(DOOR).status_code == 404


def test_who_is_signed_in_stays_who_they_are(
    alices_browser: Client, alice: User, original: ExchangeAccount
) -> None:
    alices_browser.post(DOOR)
    assert not Guest.objects.exists()
    assert alices_browser.get(DOOR).status_code == 405


def test_the_user_demos_account_is_read_and_the_original_is_a_copy_of_it(
    original: ExchangeAccount,
) -> None:
    owner = original.user
    original.delete()
    Preferences.objects.filter(user=owner).update(demo="")
    user = User.objects.create_user("demo", "demo@example.org", is_staff=True)
    (account,) = demo.prepare()
    assert (account.user, Preferences.objects.get(user=user).demo) == (user, demo.ADDED)
    assert demo.prepare() == []  # it is being read
    ExchangeAccount.objects.filter(pk=account.pk).update(state="live", binance_uid=5)
    some_trades(account)
    Sync.objects.create(account=account, state="complete", finished_at=timezone.now())
    assert demo.prepare() == []  # its order flow is not known yet, and nobody waits
    # it trades on: on a slow machine it is always being read again, and a book of it is always due
    Sync.objects.filter(account=account).update(state="running", holder="a worker")
    assert Book.objects.filter(account=account).update(version=F("version") + 1)
    assert demo.prepare() == []
    demo.want(User.objects.create_user("visitor", "visitor@example.org"))
    (copied,) = demo.prepare()
    assert (copied.user, Preferences.objects.get(user=owner).demo) == (owner, demo.ADDED)
    assert (copied.sync.state, copied.sync.holder) == ("complete", ""), "nobody reads the copy"
    assert (
        Trade.objects.filter(account=copied).count()
        == Trade.objects.filter(account=account).count()
    )
    assert demo.prepare() == []


def test_without_the_user_demo_the_original_is_read_itself(original: ExchangeAccount) -> None:
    original.delete()
    owner = demo.owner_of_original()
    Preferences.objects.filter(user=owner).update(demo="")
    (account,) = demo.prepare()
    assert account.user == owner
