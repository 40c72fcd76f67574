"""Attacks on pages and the API that have no test elsewhere; docs/security.md lists all of them."""

import re
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services.tokens import issue_token
from journal.answers import _cell
from journal.models import Watchlist
from tests.signing_in import sign_in
from tests.test_isolation import bobs, filled, routes  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
LISTS = "/api/watchlists"
LOGIN = {"login": "alice", "password": "alice-secret-1"}
JSON = "application/json"


# --- requests that another site sends -------------------------------------------------------------


def test_no_form_is_taken_without_its_token(bob: User, bobs: dict[str, str]) -> None:  # noqa: F811
    browser = sign_in(Client(enforce_csrf_checks=True), bob)
    taken = 0
    for _name, path in routes():
        answer = browser.post(filled(path, bobs))
        assert answer.status_code in {403, 404, 405}, f"{path}: {answer.status_code}"
        taken += answer.status_code == 403
    assert taken > 40
    assert User.objects.get(pk=bob.pk).is_active


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_takes_nothing_from_a_session_without_it(alice: User, method: str) -> None:
    browser = sign_in(Client(enforce_csrf_checks=True), alice)
    mine = Watchlist.objects.create(user=alice, name="mine", position=1)
    answer = getattr(browser, method)(f"{LISTS}/{mine.pk}", {"name": "x"}, content_type=JSON)
    assert answer.status_code in {403, 405}
    assert Watchlist.objects.get(pk=mine.pk).name == "mine"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil"])
def test_a_right_token_from_another_origin_is_refused(alice: User, origin: str) -> None:
    browser = sign_in(Client(enforce_csrf_checks=True), alice)
    page = browser.get("/account/tokens/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "language": "ko"}
    assert browser.post("/language/", form).status_code == 302
    assert browser.post("/language/", form, headers={"Origin": origin}).status_code == 403


def test_a_header_does_not_change_the_method(alice: User) -> None:
    mine = Watchlist.objects.create(user=alice, name="mine", position=1)
    browser = sign_in(Client(), alice)
    for header in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = browser.get(f"{LISTS}/{mine.pk}", headers={header: "DELETE"})
        assert answer.status_code == 200
    assert Watchlist.objects.filter(pk=mine.pk).exists()


# --- sessions and addresses -----------------------------------------------------------------------


def test_a_session_that_was_there_before_is_not_signed_in(alice: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    planted = client.session
    planted["planted"] = "yes"
    planted.save()
    client.cookies[live_settings.SESSION_COOKIE_NAME] = str(planted.session_key)
    client.post("/accounts/login/", LOGIN)
    assert client.session.session_key != planted.session_key


def test_a_cookie_is_worth_nothing_after_sign_out(alice: User) -> None:
    client = Client()
    client.post("/accounts/login/", LOGIN)
    old = client.cookies[live_settings.SESSION_COOKIE_NAME].value
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies[live_settings.SESSION_COOKIE_NAME] = old
    assert thief.get("/trades/").status_code == 302


def test_cookies_are_kept_from_scripts_and_other_sites(alice: User) -> None:
    client = Client()
    client.post("/accounts/login/", LOGIN)
    cookie = client.cookies[live_settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "testserver:x", ""])
def test_another_host_is_refused(host: str) -> None:
    assert Client().get("/accounts/login/", HTTP_HOST=host).status_code == 400


def test_a_forwarded_host_is_not_looked_at(alice: User) -> None:
    form = {"email": "alice@example.org"}
    headers = {"X-Forwarded-Host": "evil.example"}
    Client().post("/accounts/password/reset/", form, headers=headers)
    assert "evil.example" not in mail.outbox[0].body


@pytest.mark.parametrize(
    "away", ["//evil.example", "https://evil.example/", "\\\\evil.example", "https:evil.example"]
)
def test_no_sign_in_leads_away(alice: User, away: str) -> None:
    answer = Client().post("/accounts/login/", {**LOGIN, "next": away})
    assert answer["Location"] == "/"
    browser = sign_in(Client(), alice, fresh=False)
    page = f"/accounts/reauthenticate/?next={away}"
    answer = browser.post(page, {"password": LOGIN["password"], "next": away})
    assert "evil.example" not in answer["Location"]


def test_a_reset_link_works_once(alice: User) -> None:
    Client().post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = next(word for word in mail.outbox[-1].body.split() if "/reset/key/" in word)
    path = link.partition("8000")[2]
    form = {"password1": "another-long-1", "password2": "another-long-1"}
    first = Client()
    first.post(first.get(path)["Location"], form)
    again = Client()
    answer = again.get(path)
    assert answer.status_code == 200
    assert "already been used" in answer.content.decode() or "Bad Token" in answer.content.decode()


# --- what is sent along ---------------------------------------------------------------------------


def test_nobody_makes_themselves_staff() -> None:
    form = {
        "username": "dora",
        "email": "dora@example.org",
        "password1": "a-long-secret-9",
        "password2": "a-long-secret-9",
        "is_staff": "on",
        "is_superuser": "on",
        "networks": "[]",
    }
    Client().post("/accounts/signup/", form)
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_nobody_gives_what_is_theirs_to_another(alice: User, bob: User) -> None:
    browser = sign_in(Client(), alice)
    body = {"name": "x", "user": bob.pk, "user_id": bob.pk, "id": 7}
    answer = browser.post(LISTS, body, content_type=JSON)
    assert answer.status_code in {201, 400}
    assert not Watchlist.objects.filter(user=bob).exists()


def test_a_token_counts_in_its_header_only_and_as_it_is(alice: User) -> None:
    token = issue_token(user=alice)
    for header in (
        f"Token {token[:-1]}",
        f"Token {token}x",
        f"Token {token.upper()}",
        f"Bearer {token}",
        f"Token {token} {token}",
    ):
        assert Client(headers={"Authorization": header}).get(LISTS).status_code in {401, 403}
    assert Client().get(LISTS, {"token": token}).status_code in {401, 403}
    page = Client(headers={"Authorization": f"Token {token}"}).get("/trades/")
    assert page.status_code == 302


# --- what a spreadsheet would run -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("@x", "'@x"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ('x;=HYPERLINK("evil")', '\'x;=HYPERLINK("evil")'),
        ("\t=1", "'\t=1"),
        ("-12.5", "-12.5"),
        ("plain; text", "plain; text"),
        ("", ""),
        (None, None),
    ],
)
def test_a_cell_is_no_formula(text: Any, cell: Any) -> None:
    assert _cell(text) == cell


# --- headers --------------------------------------------------------------------------------------


def test_every_answer_says_what_a_browser_may(alice: User, bobs: dict[str, str]) -> None:  # noqa: F811
    browser = sign_in(Client(), alice)
    for _name, path in routes():
        answer = browser.get(filled(path, bobs))
        assert "geolocation=()" in answer["Permissions-Policy"], path
        assert answer["X-Content-Type-Options"] == "nosniff", path
        assert answer["X-Frame-Options"] == "DENY", path
        assert "default-src 'none'" in answer["Content-Security-Policy"], path
        assert "Cache-Control" in answer, path


def test_what_is_private_is_kept_by_nobody_between(alice: User) -> None:
    browser = sign_in(Client(), alice)
    for path in ("/api/fills", "/api/accounts", "/trades/", "/account/security/"):
        kept = browser.get(path)["Cache-Control"]
        assert "private" in kept or "no-store" in kept, path
