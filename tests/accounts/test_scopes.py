"""What a token may do: its scopes, its end, its networks, and how many there may be."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from accounts.models import ApiToken, User
from accounts.scopes import SESSION_ONLY, Scope
from accounts.services.tokens import CannotIssue, find_token, issue_token
from tests.accounts.test_tokens import FORM, URL

WATCHLISTS = "/api/watchlists"
WRITING = ("post", "put", "patch", "delete")


def with_token(user: User, **more: Any) -> Client:
    return Client(headers={"Authorization": f"Token {issue_token(user=user, **more)}"})


def api_views(patterns: Any = None, head: str = "") -> Iterator[tuple[str, type[APIView]]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = head + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from api_views(entry.url_patterns, path)
        elif isinstance(entry, URLPattern) and hasattr(entry.callback, "cls"):
            yield path, entry.callback.cls


def test_every_writing_method_of_the_api_says_its_scope() -> None:
    known = {*Scope.values, SESSION_ONLY}
    views = list(api_views())
    assert len(views) > 40
    for path, view in views:
        scopes = getattr(view, "scopes", {})
        for method in WRITING:
            if hasattr(view, method):
                assert scopes.get(method.upper()) in known, f"{method} {path}"


def test_a_token_without_the_scope_is_told_which_it_lacks(alice: User) -> None:
    reader = with_token(alice, scopes=["read"])
    assert reader.get(WATCHLISTS).status_code == 200
    answer = reader.post(WATCHLISTS, {"name": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": "scope_missing",
        "scope": "journal",
        "detail": "This token lacks the scope journal.",
    }


def test_reading_is_a_scope_too(alice: User) -> None:
    writer = with_token(alice, scopes=["journal"])
    assert writer.get(WATCHLISTS).json()["scope"] == "read"
    answer = writer.post(WATCHLISTS, {"name": "x"}, content_type="application/json")
    assert answer.status_code == 201


def test_no_token_may_do_what_asks_who_you_are(alice: User) -> None:
    everything = with_token(alice, scopes=Scope.values)
    for method, path in (("post", "/api/me/export"), ("delete", "/api/me")):
        answer = getattr(everything, method)(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "session_only")


def test_a_token_ends_by_itself_after_ninety_days(alice: User) -> None:
    token = issue_token(user=alice)
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=89) < left <= timedelta(days=90)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert find_token(token=token) is None


def test_a_token_works_from_its_networks_only(alice: User) -> None:
    near = with_token(alice, networks=["127.0.0.0/8"])
    far = with_token(alice, networks=["192.0.2.0/24", "2001:db8::/32"])
    assert near.get(WATCHLISTS).status_code == 200
    answer = far.get(WATCHLISTS)
    assert (answer.status_code, answer.json()["code"]) == (403, "network_not_allowed")
    assert far.get(WATCHLISTS, REMOTE_ADDR="::ffff:192.0.2.7").status_code == 200


def test_the_users_networks_hold_for_tokens_and_pages(alice: User, alices_browser: Client) -> None:
    alice.networks = ["192.0.2.0/24"]
    alice.save()
    assert with_token(alice).get(WATCHLISTS).status_code == 403
    assert alices_browser.get("/trades/").status_code == 403
    assert alices_browser.get("/trades/", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_the_last_use_is_told_by_time_and_neighbourhood(alice: User) -> None:
    with_token(alice).get(WATCHLISTS, REMOTE_ADDR="192.0.2.77")
    row = ApiToken.objects.get()
    assert row.last_used_at is not None
    assert row.last_used_from == "192.0.2.0/24"


def test_there_is_a_limit_of_number(alice: User, settings: Any) -> None:
    settings.TOKENS_PER_USER = 2
    for _ in range(2):
        issue_token(user=alice)
    with pytest.raises(CannotIssue, match="at most 2 tokens"):
        issue_token(user=alice)
    ApiToken.objects.update(expires_at=timezone.now())
    issue_token(user=alice)  # what has ended makes room
    assert ApiToken.objects.count() == 1


def test_the_page_makes_one_with_what_was_chosen(alices_browser: Client) -> None:
    asked = {**FORM, "scopes": ["read", "journal"], "networks": "192.0.2.1, 10.0.0.0/8"}
    assert b"my script" in alices_browser.post(URL, asked).content
    row = ApiToken.objects.get()
    assert (row.name, row.scopes) == ("my script", ["read", "journal"])
    assert row.networks == ["192.0.2.1/32", "10.0.0.0/8"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["everything"]}, "Select a valid choice"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"networks": "nowhere"}, "expected networks such as"),
        ({"signing": "ed25519", "public_key": "abc"}, "expected"),
    ],
)
def test_the_page_refuses_with_a_sentence(
    alices_browser: Client, change: dict[str, Any], sentence: str
) -> None:
    page = alices_browser.post(URL, {**FORM, **change}).content.decode()
    assert sentence in page
    assert not ApiToken.objects.exists()


def test_the_command_takes_scopes_and_days(alice: User) -> None:
    output = StringIO()
    words = ["--scopes", "read,journal", "--days", "30"]
    call_command("issue_api_token", "alice", *words, stdout=output)
    assert output.getvalue().count("\n") == 1
    row = ApiToken.objects.get()
    assert row.scopes == ["read", "journal"]
    assert row.expires_at < timezone.now() + timedelta(days=31)


def test_the_command_gives_all_scopes_but_trade(alice: User) -> None:
    call_command("issue_api_token", "alice", stdout=StringIO())
    assert ApiToken.objects.get().scopes == ["read", "journal", "accounts", "alerts"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scopes", "read,fly"], "expected scopes of read, journal, accounts, alerts, trade"),
        (["--days", "0"], "expected an end within 1 to 366 days"),
        (["--networks", "x"], "expected networks such as"),
    ],
)
def test_the_command_refuses_with_a_sentence(alice: User, words: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("issue_api_token", "alice", *words)
