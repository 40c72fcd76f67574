"""Sign-in, sign-up and password reset through their pages."""

from django.core import mail
from django.test import Client

from accounts.models import User


def test_a_user_signs_in_by_name_or_mail(alice: User) -> None:
    for login in ("alice", "alice@example.org"):
        client = Client()
        answer = client.post("/accounts/login/", {"login": login, "password": "alice-secret-1"})
        assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_wrong_password_is_refused(alice: User, client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "alice", "password": "wrong"})
    assert answer.status_code == 200
    assert "not correct" in answer.content.decode()


def test_a_newcomer_signs_up(client: Client, db: None) -> None:
    answer = client.post(
        "/accounts/signup/",
        {
            "username": "dora",
            "email": "dora@example.org",
            "password1": "a-long-secret-9",
            "password2": "a-long-secret-9",
        },
    )
    assert answer.status_code == 302
    assert User.objects.get(username="dora").check_password("a-long-secret-9")


def test_a_short_password_is_refused(client: Client, db: None) -> None:
    form = {"username": "d", "email": "d@example.org", "password1": "short", "password2": "short"}
    assert "too short" in client.post("/accounts/signup/", form).content.decode()
    assert not User.objects.exists()


def test_a_forgotten_password_is_reset_by_mail(alice: User, client: Client) -> None:
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


def test_pages_send_strangers_to_the_sign_in(client: Client, db: None) -> None:
    for path in ("/", "/market/BTCUSDT/", "/account/tokens/"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_the_content_security_policy_allows_no_inline_code(client: Client, db: None) -> None:
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
