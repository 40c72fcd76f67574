"""Personal tokens: issued once, kept as a hash, shown to their owner only."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, User
from accounts.services.tokens import issue_token, user_of_token

URL = "/account/tokens/"
FORM = {"name": "my script", "scopes": ["read"], "days": "30", "networks": "", "signing": ""}


def test_a_token_finds_its_owner_and_is_not_kept(alice: User) -> None:
    token = issue_token(user=alice)
    assert user_of_token(token=token) == alice
    assert token not in str(list(ApiToken.objects.values()))


def test_an_unknown_token_finds_nobody(alice: User) -> None:
    assert user_of_token(token="tl_nothing") is None


def test_a_token_of_a_disabled_user_finds_nobody(alice: User) -> None:
    token = issue_token(user=alice)
    alice.is_active = False
    alice.save()
    assert user_of_token(token=token) is None


def test_the_command_prints_the_token_as_its_last_line(alice: User) -> None:
    output = StringIO()
    call_command("issue_api_token", "alice", stdout=output)
    assert user_of_token(token=output.getvalue().splitlines()[-1]) == alice


def test_the_command_refuses_an_unknown_user(db: None) -> None:
    with pytest.raises(CommandError, match="no user called 'nobody'"):
        call_command("issue_api_token", "nobody")


def test_the_page_shows_a_new_token_once(alices_browser: Client, alice: User) -> None:
    page = alices_browser.post(URL, FORM).content.decode()
    prefix = alice.api_tokens.get().prefix
    assert page.count(prefix) == 2
    assert alices_browser.get(URL).content.decode().count(prefix) == 1


def test_the_page_needs_a_sign_in(client: Client, db: None) -> None:
    assert client.get(URL).status_code == 302


def test_nobody_revokes_anothers_token(alices_browser: Client, bob: User) -> None:
    issue_token(user=bob)
    token = bob.api_tokens.get()
    assert alices_browser.post(f"{URL}{token.pk}/revoke/").status_code == 404
    assert bob.api_tokens.count() == 1


def test_the_owner_revokes_a_token(alices_browser: Client, alice: User) -> None:
    token = issue_token(user=alice)
    alices_browser.post(f"{URL}{alice.api_tokens.get().pk}/revoke/")
    assert user_of_token(token=token) is None
