"""One user never takes the service from another: shares of a minute, and turns at what is dear."""

import random
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import limits, turns
from accounts.models import User
from accounts.services.tokens import issue_token
from tests.away import redis_away
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db
LISTS = "/api/watchlists"


@pytest.fixture
def rates(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Small shares, in a minute that stands still and that no other test counts in."""
    moment = 60 * random.randrange(10**9, 10**10) + 5.0
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: moment))
    settings.RATES = {"read": 3, "heavy": 2, "write": 2, "trade": 1, "sign-in": 2}
    return settings.RATES  # type: ignore[no-any-return]


def test_the_api_tells_what_is_left_and_then_refuses(alice: User, rates: dict[str, int]) -> None:
    client = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
    answers = [client.get(LISTS) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    told = [re.fullmatch(r'"read";r=(\d+);t=(\d+)', a["RateLimit"]) for a in answers]
    assert [int(one[1]) for one in told if one] == [2, 1, 0, 0]
    assert answers[0]["RateLimit-Policy"] == '"read";q=3;w=60'
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


def test_pages_have_shares_too(alice: User, rates: dict[str, int]) -> None:
    browser = sign_in(Client(), alice)
    answers = [browser.get("/account/privacy/") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert "Retry-After" in answers[-1]
    assert "Too many requests" in answers[-1].content.decode()


def test_a_users_tokens_and_sessions_share_one(alice: User, rates: dict[str, int]) -> None:
    for _ in range(2):
        token = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
        assert token.get(LISTS).status_code == 200
    browser = sign_in(Client(), alice)
    assert [browser.get(LISTS).status_code for _ in range(2)] == [200, 429]


def test_another_user_has_a_share_of_their_own(
    alice: User, bob: User, rates: dict[str, int]
) -> None:
    for _ in range(4):
        sign_in(Client(), alice).get(LISTS)
    assert sign_in(Client(), bob).get(LISTS).status_code == 200


def test_writing_is_counted_apart(alice: User, rates: dict[str, int]) -> None:
    browser = sign_in(Client(), alice)
    for _ in range(3):
        browser.get(LISTS)
    answer = browser.post(LISTS, {"name": "x"}, content_type="application/json")
    assert answer.status_code == 201
    assert answer["RateLimit"].startswith('"write"')


def test_signing_in_is_counted_by_address(rates: dict[str, int]) -> None:
    form = {"login": "nobody", "password": "x"}

    def status(address: str) -> int:
        return Client().post("/accounts/login/", form, REMOTE_ADDR=address).status_code

    assert [status("203.0.113.5") for _ in range(3)] == [200, 200, 429]
    assert status("203.0.113.6") == 200


def test_guessed_tokens_are_told_to_wait(rates: dict[str, int]) -> None:
    guesser = Client(headers={"Authorization": "Token tl_guess"})
    assert [guesser.get(LISTS).status_code for _ in range(3)] == [401, 401, 429]


def test_a_forwarding_header_gives_no_new_share(rates: dict[str, int]) -> None:
    schema = reverse("docs")
    headers = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(4)]
    assert [Client().get(schema, headers=one).status_code for one in headers][-1] == 429


def test_without_redis_each_process_counts_for_itself(
    rates: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = redis_away()
    monkeypatch.setattr(limits, "hot_client", lambda: away)
    assert [limits.take("read", "somebody").is_spent for _ in range(4)] == [False] * 3 + [True]


def test_a_list_as_a_file_is_dear(alice: User, rates: dict[str, int]) -> None:
    browser = sign_in(Client(), alice)
    answer = browser.get("/api/fills", {"format": "csv"})
    assert answer["RateLimit"].startswith('"heavy"')
    assert browser.get("/trades/", {"format": "xlsx"})["RateLimit"].startswith('"heavy"')


def test_one_user_holds_few_turns_and_leaves_some_to_others() -> None:
    mine = [turns.take_turn("u1") for _ in range(turns.MOST_OF_ONE)]
    assert all(mine)
    assert turns.take_turn("u1") is None
    others = turns.take_turn("u2")
    assert others is not None
    for turn in [*mine, others]:
        assert turn is not None
        turn.end()
        turn.end()  # twice is once
    assert turns.take_turn("u1") is not None


def test_beside_others_one_user_has_one_turn() -> None:
    mine = turns.take_turn("u1", is_beside_others=True)
    assert mine is not None
    assert turns.take_turn("u1", is_beside_others=True) is None
    alone = turns.take_turn("u1")
    assert alone is not None
    for turn in (mine, alone):
        turn.end()


def test_a_request_that_is_gone_gives_its_turn_back() -> None:
    for _ in range(10):
        assert turns.take_turn("u1") is not None  # held by nobody


def test_who_has_no_turn_is_told_to_ask_again(alice: User) -> None:
    browser = sign_in(Client(), alice)
    who = f"u{alice.pk}"
    held = [turns.take_turn(who) for _ in range(turns.MOST_OF_ONE)]
    answer = browser.get("/api/fills", {"format": "csv"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert browser.get(LISTS).status_code == 200
    del held
    assert browser.get("/api/fills", {"format": "csv"}).status_code == 200
