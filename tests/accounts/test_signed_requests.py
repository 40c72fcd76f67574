"""Tokens that are bound to a key: every request is signed by RFC 9421, or nothing is done."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.test import Client

from accounts.models import ApiToken, User
from accounts.services import signatures
from accounts.services.tokens import Binding, issue_token
from accounts.vault import keyring
from journal.models import Watchlist
from lib.secret import Secret
from tests.accounts.signed import SigningClient, ago, key_of
from tests.away import redis_away

READ = "/api/watchlists"


@pytest.fixture(autouse=True)
def sealed(settings: Any, tmp_path: Path, db: None) -> None:
    settings.KEK_DIR = tmp_path / "keys"
    keyring.ensure()


@pytest.fixture
def signing(alice: User) -> SigningClient:
    output = StringIO()
    call_command("issue_api_token", "alice", "--sign", "hmac", stdout=output)
    key, token = output.getvalue().splitlines()[-2:]
    return SigningClient(token, key_of(key))


def test_a_signed_request_comes_in(signing: SigningClient, alice: User) -> None:
    assert signing.get(READ).status_code == 200
    answer = signing.send("POST", READ, {"name": "signed"})
    assert answer.status_code == 201, answer.content
    assert Watchlist.objects.get(user=alice, name="signed")


def test_an_unsigned_one_is_told_what_was_expected(signing: SigningClient) -> None:
    answer = Client().get(READ, headers={"Authorization": f"Token {signing.token}"})
    assert answer.status_code == 401
    assert "expected a request signed by RFC 9421" in answer.json()["detail"]


def test_a_public_key_of_ed25519_signs_too(alice: User) -> None:
    key = Ed25519PrivateKey.generate()
    public = Secret(key.public_key().public_bytes_raw())
    token = issue_token(user=alice, binding=Binding("ed25519", public))
    assert SigningClient(token, key).get(READ).status_code == 200
    assert SigningClient(token, Ed25519PrivateKey.generate()).get(READ).status_code == 401


def test_a_nonce_counts_once(signing: SigningClient) -> None:
    headers = signing.headers("GET", READ, nonce="one-of-a-kind")
    first, again = (Client().get(READ, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 401)
    assert "nonce was used before" in again.json()["detail"]


def test_a_nonce_is_kept_for_three_minutes(signing: SigningClient, empty_redis: Any) -> None:
    signing.get(READ, nonce="one-of-a-kind")
    (key,) = empty_redis.keys("tl:nonce:*")
    assert 170 < empty_redis.ttl(key) <= 180


def test_a_forger_uses_no_nonce_up(signing: SigningClient) -> None:
    forger = SigningClient(signing.token, b"x" * 32)
    assert forger.get(READ, nonce="one-of-a-kind").status_code == 401
    assert signing.get(READ, nonce="one-of-a-kind").status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-55, 200), (55, 200), (-65, 401), (65, 401)])
def test_the_clock_may_differ_by_a_minute(
    signing: SigningClient, seconds: float, status: int
) -> None:
    assert signing.get(READ, created=ago(seconds)).status_code == status


def _other_body(signing: SigningClient) -> Any:
    headers = signing.headers("POST", READ, b'{"name": "a"}')
    return Client().post(READ, '{"name": "b"}', content_type="application/json", headers=headers)


def _other_query(signing: SigningClient) -> Any:
    return Client().get(f"{READ}?a=1", headers=signing.headers("GET", READ))


def _other_method(signing: SigningClient) -> Any:
    return Client().delete(READ, headers=signing.headers("GET", READ))


def _other_host(signing: SigningClient) -> Any:
    return Client().get(READ, headers=signing.headers("GET", READ, host="http://elsewhere"))


def _digest_not_covered(signing: SigningClient) -> Any:
    headers = signing.headers("POST", READ)
    return Client().post(READ, '{"name": "b"}', content_type="application/json", headers=headers)


def _idempotency_key_not_covered(signing: SigningClient) -> Any:
    more: Any = {"Idempotency-Key": "abc"}
    headers = signing.headers("GET", READ, **more)
    return Client().get(READ, headers=headers)


@pytest.mark.parametrize(
    "tampered",
    [
        _other_body,
        _other_query,
        _other_method,
        _other_host,
        _digest_not_covered,
        _idempotency_key_not_covered,
        lambda signing: signing.get(READ, cover=("@method",)),
        lambda signing: signing.get(READ, cover=("@target-uri",)),
        lambda signing: signing.get(READ, keyid="tl_other"),
        lambda signing: signing.get(READ, nonce="short"),
    ],
)
def test_what_was_not_signed_so_is_refused_with_the_reason(
    signing: SigningClient, tampered: Callable[[SigningClient], Any]
) -> None:
    answer = tampered(signing)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("The signature is refused: ")
    assert Watchlist.objects.filter(name__in=["a", "b"]).count() == 0


def test_an_idempotency_key_that_is_covered_comes_in(signing: SigningClient) -> None:
    cover = ("@method", "@target-uri", "idempotency-key")
    assert signing.get(READ, cover=cover, **{"Idempotency-Key": "abc"}).status_code == 200


def test_without_redis_nothing_is_done(
    signing: SigningClient, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    away = redis_away()
    monkeypatch.setattr(signatures, "hot_client", lambda: away)
    answer = signing.send("POST", READ, {"name": "signed"})
    assert answer.status_code == 503
    assert not Watchlist.objects.filter(user=alice, name="signed").exists()


def test_the_key_is_sealed_and_bound_to_its_row(signing: SigningClient, alice: User) -> None:
    row = ApiToken.objects.get()
    assert isinstance(signing.key, bytes)
    assert signing.key not in bytes(row.key)
    issue_token(user=alice, binding=Binding("hmac", Secret(b"y" * 32)))
    other = ApiToken.objects.exclude(pk=row.pk).get()
    ApiToken.objects.filter(pk=row.pk).update(key=other.key)
    assert signing.get(READ).status_code == 503


def test_trading_asks_for_a_signature_by_itself(alice: User) -> None:
    """An unsigned token may hold the scope, and cannot use it."""
    token = issue_token(user=alice, scopes=["read", "trade"])
    assert Client().get(READ, headers={"Authorization": f"Token {token}"}).status_code == 200
