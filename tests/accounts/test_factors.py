"""Second factors, fresh confirmations, sessions, and what a new password ends."""

import time
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts import changes
from accounts.models import AuditEntry, User
from accounts.services.tokens import find_token, issue_token
from accounts.vault import keyring
from tests.accounts.test_tokens import FORM
from tests.signing_in import sign_in

PASSWORD = "alice-secret-1"


@pytest.fixture(autouse=True)
def sealed(settings: Any, tmp_path: Path, db: None) -> None:
    settings.KEK_DIR = tmp_path / "keys"
    keyring.ensure()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What others were told of changes."""
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(
        changes, "_callbacks", [lambda user, what: heard.append((user.username, what))]
    )
    return heard


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))


def set_up_factor(user: User) -> str:
    secret: str = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def log_in(password: str = PASSWORD, **more: Any) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": password}, **more)
    return client


@pytest.mark.django_db(transaction=True)
def test_a_factor_is_set_up_sealed_and_asked_for(alice: User, told: list[tuple[str, str]]) -> None:
    browser = sign_in(Client(), alice, factor=True)
    browser.get("/accounts/2fa/totp/activate/")
    secret = browser.session["mfa.totp.secret"]
    answer = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    row = Authenticator.objects.get(user=alice, type="totp")
    assert secret not in str(row.data)
    assert row.data["secret"].startswith("sealed:")
    assert ("alice", "factor") in told
    assert AuditEntry.objects.filter(owner=alice, action="second factor added").exists()
    assert log_in().get("/trades/").status_code == 302


def test_the_right_code_opens_and_counts_once(alice: User) -> None:
    secret = set_up_factor(alice)
    code = code_of(secret)
    first, second = log_in(), log_in()
    assert first.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert first.get("/trades/").status_code == 200
    again = second.post("/accounts/2fa/authenticate/", {"code": code})
    assert again.status_code == 200
    assert second.get("/trades/").status_code == 302


def test_a_wrong_code_opens_nothing(alice: User) -> None:
    set_up_factor(alice)
    browser = log_in()
    assert browser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert browser.get("/trades/").status_code == 302


@pytest.mark.parametrize("place", ["/status/", "/staff/imports/", "/admin/"])
def test_staff_places_ask_for_a_factor_where_something_is_at_stake(
    alice: User, settings: Any, place: str
) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    browser = sign_in(Client(), alice)
    settings.BINANCE = "testnet"
    assert browser.get(place)["Location"] == "/accounts/2fa/"
    set_up_factor(alice)
    assert browser.get(place)["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert sign_in(Client(), alice, factor=True).get(place).status_code == 200
    settings.BINANCE = "simulator"
    assert sign_in(Client(), alice).get(place).status_code == 200


def test_the_admin_has_no_door_of_its_own(db: None) -> None:
    answer = Client().post("/admin/login/", {"username": "x", "password": "y"})
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/tokens/", FORM),
        ("/account/exchange/connect/", {"label": "x", "api_key": "k" * 64, "secret": "s" * 64}),
        ("/account/security/networks/", {"networks": ""}),
        ("/account/privacy/export/", {}),
        ("/account/privacy/erase/", {"name": "alice"}),
    ],
)
def test_what_matters_asks_again_who_you_are(alice: User, path: str, form: dict[str, Any]) -> None:
    answer = sign_in(Client(), alice, fresh=False).post(path, form)
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not alice.api_tokens.exists()
    assert not alice.exchange_accounts.exists()
    assert User.objects.get(pk=alice.pk).is_active


def test_the_api_asks_a_session_again_too(alice: User) -> None:
    old = sign_in(Client(), alice, fresh=False)
    answer = old.post("/api/accounts", {"label": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "step_up",
        "detail": "Confirm with your password or second factor first.",
        "url": "/accounts/reauthenticate/",
    }


def test_a_password_makes_a_session_fresh_again(alice: User) -> None:
    browser = sign_in(Client(), alice, fresh=False)
    page = "/accounts/reauthenticate/?next=/account/tokens/"
    assert browser.post(page, {"password": "wrong"}).status_code == 200
    assert browser.get("/account/tokens/").status_code == 302
    assert browser.post(page, {"password": PASSWORD})["Location"] == "/account/tokens/"
    assert browser.get("/account/tokens/").status_code == 200


def test_what_was_typed_is_not_kept_while_one_confirms(alice: User) -> None:
    browser = sign_in(Client(), alice, fresh=False)
    browser.post("/account/exchange/connect/", {"api_key": "k" * 64, "secret": "planted" * 9})
    assert "planted" not in str(dict(browser.session))


def test_a_new_password_ends_every_sign_in(alice: User, told: list[tuple[str, str]]) -> None:
    token = issue_token(user=alice)
    one, other = log_in(), log_in()
    form = {"oldpassword": PASSWORD, "password1": "another-long-1", "password2": "another-long-1"}
    assert one.post("/accounts/password/change/", form).status_code == 302
    assert one.get("/trades/").status_code == 200
    assert other.get("/trades/").status_code == 302
    assert find_token(token=token) is None
    assert ("alice", "password") in told


def test_a_reset_ends_them_too(alice: User) -> None:
    token = issue_token(user=alice)
    browser = log_in()
    Client().post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
    stranger = Client()
    page = stranger.get(link.partition("8000")[2])
    form = {"password1": "another-long-1", "password2": "another-long-1"}
    stranger.post(page["Location"], form)
    assert User.objects.get(pk=alice.pk).check_password("another-long-1")
    assert browser.get("/trades/").status_code == 302
    assert find_token(token=token) is None


def test_an_admins_new_password_ends_them_too(alice: User) -> None:
    token = issue_token(user=alice)
    alice.set_password("set-by-a-command-1")
    alice.save()
    assert find_token(token=token) is None


def test_a_session_is_listed_and_ended(alice: User, bob: User) -> None:
    one, other = log_in(), log_in(HTTP_USER_AGENT="Other browser")
    assert "Other browser" in one.get("/account/security/").content.decode()
    session = UserSession.objects.get(user_agent="Other browser")
    ending = f"/account/sessions/{session.pk}/end/"
    assert sign_in(Client(), bob).post(ending).status_code == 404
    assert one.post(ending).status_code == 302
    assert other.get("/trades/").status_code == 302
    assert one.get("/trades/").status_code == 200


def test_all_others_are_ended_at_once(alice: User) -> None:
    token = issue_token(user=alice)
    one, other = log_in(), log_in()
    one.post("/account/sessions/end/")
    assert (one.get("/trades/").status_code, other.get("/trades/").status_code) == (200, 302)
    assert find_token(token=token) is None


def test_a_sign_in_from_elsewhere_is_told_by_mail(alice: User) -> None:
    log_in(HTTP_USER_AGENT="Mine", REMOTE_ADDR="192.0.2.1")
    log_in(HTTP_USER_AGENT="Mine", REMOTE_ADDR="192.0.2.99")
    assert mail.outbox == []
    log_in(HTTP_USER_AGENT="Mine", REMOTE_ADDR="198.51.100.1")
    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert "New sign-in" in message.subject
    assert "198.51.100.1" in message.body


def test_ones_networks_cannot_shut_oneself_out(alice: User, alices_browser: Client) -> None:
    page = "/account/security/networks/"
    alices_browser.post(page, {"networks": "192.0.2.0/24"})
    alice.refresh_from_db()
    assert alice.networks == []
    alices_browser.post(page, {"networks": "127.0.0.1 192.0.2.0/24"})
    alice.refresh_from_db()
    assert alice.networks == ["127.0.0.1/32", "192.0.2.0/24"]


def test_everybody_sees_their_own_trail(alice: User, bob: User, alices_browser: Client) -> None:
    issue_token(user=alice)
    issue_token(user=bob)
    page = alices_browser.get("/account/audit/").content.decode()
    assert alice.api_tokens.get().prefix in page
    assert bob.api_tokens.get().prefix not in page
