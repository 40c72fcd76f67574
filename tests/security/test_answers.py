"""What the API says to those who come a wrong way, and what it lets nobody guess."""

import base64
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher as Hasher
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from accounts.live import _session_check
from accounts.models import User
from accounts.services.tokens import issue_token
from accounts.vault import keyring
from config import schema
from tests.accounts.test_factors import code_of, log_in, set_up_factor
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/trades/x", "/api/accounts/1", "/api/trades/-1", "/api/"]
)
def test_an_address_that_names_nothing_is_told_in_json(alices_browser: Client, path: str) -> None:
    for browser in (Client(), alices_browser):
        answer = browser.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert answer.json().keys() == {"detail"}


def test_a_page_that_is_not_there_is_still_a_page(alices_browser: Client) -> None:
    answer = alices_browser.get("/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_session_from_another_network_hears_so_in_json(alice: User) -> None:
    browser = sign_in(Client(), alice)
    User.objects.filter(pk=alice.pk).update(networks=["192.0.2.0/24"])
    answer = browser.get("/api/trades")
    assert (answer.status_code, answer.json()["code"]) == (403, "network_not_allowed")


async def test_a_socket_ends_when_its_network_is_shut_out(alice: User) -> None:
    class Session:
        session_key = "x"
        _wrapped: Any = None

    session = Session()
    session._wrapped = Session()
    scope: dict[str, Any] = {"session": session}

    async def is_welcome(address: str) -> bool:
        return await _session_check(scope, address)()

    with pytest.MonkeyPatch.context() as patch:

        async def get_user(scope: Any) -> User:
            return alice

        patch.setattr("accounts.live.get_user", get_user)
        patch.setattr(Session, "__init__", lambda self, key=None: None)
        assert await is_welcome("203.0.113.5")
        alice.networks = ["192.0.2.0/24"]
        assert not await is_welcome("203.0.113.5")
        assert await is_welcome("192.0.2.9")


def test_the_description_is_made_once_and_takes_no_words_into_its_headers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    generate: Any = SchemaGenerator.get_schema

    def get_schema(self: Any, **options: Any) -> Any:
        made.append(1)
        return generate(self, **options)

    monkeypatch.setattr(SchemaGenerator, "get_schema", get_schema)
    schema._rendered.cache_clear()
    for query in ("", "?version=%0d%0aX-Evil:%201", "?lang=ko", "?version=x"):
        answer = Client().get(f"/api/schema/{query}")
        assert answer.status_code == 200
        assert "X-Evil" not in answer
    assert len(made) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00|1",
        "2026-01-01T00:00:00+00:00|x",
        f"2026-01-01T00:00:00+00:00|{'9' * 5000}",
        "|",
        "\0|1",
    ],
)
def test_a_made_up_cursor_is_refused(alices_browser: Client, text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    assert alices_browser.get("/api/fills", {"cursor": cursor}).status_code == 400


def test_a_cursor_beyond_every_id_is_an_empty_page(alices_browser: Client) -> None:
    cursor = base64.urlsafe_b64encode(b"2026-01-01T00:00:00+00:00|99999999999999999999").decode()
    answer = alices_browser.get("/api/fills", {"cursor": cursor})
    assert answer.json() == {"rows": [], "next": None}


def test_codes_of_a_second_factor_cannot_be_guessed(
    alice: User, settings: Any, tmp_path: Path
) -> None:
    settings.KEK_DIR = tmp_path / "keys"
    keyring.ensure()
    secret = set_up_factor(alice)
    browser = log_in()
    right = code_of(secret)
    for guess in range(6):
        wrong = f"{(int(right) + 1 + guess) % 10**6:06}"
        browser.post("/accounts/2fa/authenticate/", {"code": wrong})
    browser.post("/accounts/2fa/authenticate/", {"code": right})
    assert browser.get("/trades/").status_code == 302


def test_a_name_that_nobody_has_takes_as_many_hashes_as_a_wrong_password(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    for name in ("encode", "verify"):
        work = getattr(Hasher, name)

        def counted(self: Any, *words: Any, _work: Any = work) -> Any:
            nonlocal count
            count += 1
            return _work(self, *words)

        monkeypatch.setattr(Hasher, name, counted)

    def hashes(login: str) -> int:
        nonlocal count
        count = 0
        Client().post("/accounts/login/", {"login": login, "password": "wrong-password-1"})
        return count

    for login in ("alice", "nobody", "alice@example.org", "nobody@example.org"):
        assert hashes(login) == 1, login


def test_who_takes_anothers_address_for_a_name_shuts_nobody_out(alice: User) -> None:
    User.objects.create_user("alice@example.org", "thief@example.org", "thief-secret-1")
    form = {"login": "alice@example.org", "password": "alice-secret-1"}
    browser = Client()
    browser.post("/accounts/login/", form)
    assert browser.get("/account/security/").context["user"] == alice


def test_tokens_reach_no_page_and_no_file_of_ones_own(alice: User) -> None:
    holder = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
    for path in ("/", "/account/security/", "/account/export/", "/account/tokens/", "/admin/"):
        answer = holder.get(path)
        assert answer.status_code in {302, 404, 405}, path
        assert answer.status_code != 302 or "/login/" in answer["Location"]
    assert holder.get("/api/me/export/file").status_code == 404
