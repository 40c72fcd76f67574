"""Who may become a user, and what a stranger can do to those who are."""

from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from accounts import sign_up
from accounts.models import Invitation, User
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
FORM = {
    "username": "dora",
    "email": "dora@example.org",
    "password1": "a-long-secret-9",
    "password2": "a-long-secret-9",
}
PAGE = "/accounts/signup/"


def test_where_it_is_closed_nobody_signs_up(settings: Any, client: Client) -> None:
    settings.SIGN_UP = "closed"
    assert "Sign-up is closed" in client.get(PAGE).content.decode()
    client.post(PAGE, FORM)
    assert not User.objects.exists()
    assert PAGE not in client.get("/accounts/login/").content.decode()
    assert not sign_up.is_open()


def test_an_invitation_lets_one_in_once(settings: Any) -> None:
    settings.SIGN_UP = "invitation"
    output = StringIO()
    call_command("invite", stdout=output)
    link = output.getvalue().splitlines()[-1].partition(settings.PUBLIC_URL)[2]
    assert Client().get(PAGE).status_code == 200
    Client().post(PAGE, FORM)
    assert not User.objects.exists()
    guest = Client()
    guest.get(link)
    assert guest.post(PAGE, FORM).status_code == 302
    assert User.objects.get().username == "dora"
    again = Client()
    again.get(link)
    again.post(PAGE, {**FORM, "username": "eve", "email": "eve@example.org"})
    assert User.objects.count() == 1
    assert Invitation.objects.get().used_by == User.objects.get()


def test_who_has_just_chosen_a_password_may_bring_a_key(settings: Any) -> None:
    settings.SIGN_UP = "open"
    browser = Client()
    assert browser.post(PAGE, FORM).status_code == 302
    page = browser.get("/account/exchange/connect/")
    assert page.status_code == 200
    assert 'name="api_key"' in page.content.decode()
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    assert browser.get("/account/exchange/connect/").status_code == 302, "an hour later it is asked"


def test_a_stranger_locks_nobody_out(alice: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
    cache.clear()
    for _ in range(12):
        Client().post(
            "/accounts/login/",
            {"login": "alice", "password": "guess"},
            REMOTE_ADDR="203.0.113.66",
        )
    form = {"login": "alice", "password": "alice-secret-1"}
    stranger = Client().post("/accounts/login/", form, REMOTE_ADDR="203.0.113.66")
    assert stranger.status_code in {200, 429}
    owner = Client().post("/accounts/login/", form, REMOTE_ADDR="198.51.100.7")
    assert owner.status_code == 302


def test_name_and_address_are_one_lock(alice: User) -> None:
    cache.clear()
    for login in ["alice", "alice@example.org"] * 3:
        Client().post("/accounts/login/", {"login": login, "password": "guess"})
    form = {"login": "alice", "password": "alice-secret-1"}
    assert Client().post("/accounts/login/", form).status_code == 200


def test_a_reset_link_leads_home_whatever_the_host_said(alice: User) -> None:
    form = {"email": "alice@example.org"}
    Client().post("/accounts/password/reset/", form, HTTP_HOST="localhost:9")
    assert "localhost:9" not in mail.outbox[0].body
    assert "http://127.0.0.1:8000/accounts/password/reset/key/" in mail.outbox[0].body


def test_a_reset_tells_nobody_who_exists(alice: User) -> None:
    answers = [
        Client().post("/accounts/password/reset/", {"email": f"{name}@example.org"})
        for name in ("alice", "nobody")
    ]
    assert {(a.status_code, a["Location"]) for a in answers} == {
        (302, "/accounts/password/reset/done/")
    }


def test_anothers_address_is_not_taken_and_nothing_is_left(alice: User, bob: User) -> None:
    browser = sign_in(Client(), bob, factor=True)
    form = {"email": "alice@example.org", "action_add": ""}
    for action in ("action_add", "action_primary"):
        answer = browser.post("/accounts/email/", {**form, action: ""})
        assert answer.status_code in {200, 302}
    bob.refresh_from_db()
    assert bob.email == "bob@example.org"
    taken = EmailAddress.objects.filter(user=bob, email="alice@example.org", primary=True)
    assert not taken.exists()


def test_a_session_alone_does_not_change_the_address(alice: User) -> None:
    browser = sign_in(Client(), alice, fresh=False)
    answer = browser.post("/accounts/email/", {"email": "thief@example.org", "action_add": ""})
    assert "/accounts/reauthenticate/" in answer["Location"]
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
