"""What was given as a secret is found nowhere."""

import io
import logging
import re
import secrets
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.test import Client

from accounts import tasks
from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from tests.accounts.connected import PAGE
from tests.accounts.exchange import AccountExchange
from tests.signing_in import sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]


def test_fifty_secrets_are_found_nowhere(
    alices_browser: Client,
    alice: User,
    exchange: AccountExchange,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    empty_redis: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logs, pages, tracebacks, task arguments, what Redis is told, and a dump of the database."""
    caplog.set_level(logging.DEBUG)
    queued: list[str] = []
    monkeypatch.setattr(
        tasks.check_account, "delay_on_commit", lambda *args: queued.append(str(args))
    )
    told = io.StringIO()
    monitor: Any = redis.Redis.from_url(django_settings.REDIS_URL)
    stop = threading.Event()

    def listen() -> None:
        with monitor.monitor() as heard:
            started.set()
            for command in heard.listen():
                told.write(f"{command}\n")
                if stop.is_set():
                    return

    started = threading.Event()
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert started.wait(5)
    pages, canaries = [], []
    # a key that cannot be looked at now is kept; a refused one would leave nothing to look for
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = "http://127.0.0.1:9"
    settings.ACCOUNTS_PER_USER = 30
    for number in range(25):
        key, secret = secrets.token_hex(32), f"canary{secrets.token_hex(29)}"
        canaries += [key, secret]
        form = {"label": f"a{number}", "api_key": key, "secret": secret}
        pages.append(alices_browser.post(f"{PAGE}connect/", form, follow=True).content.decode())
    for account in ExchangeAccount.objects.all()[:5]:
        connecting.check(str(account.pk))
    monkeypatch.setattr(connecting, "_store", Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError) as caught:
        alices_browser.post(f"{PAGE}connect/", {"label": "x", "api_key": key, "secret": secret})
    pages.append(alices_browser.get(PAGE).content.decode())
    dump = tmp_path / "dump"
    call_command("backup", str(dump))
    plain = io.StringIO()
    call_command("dumpdata", "accounts", stdout=plain)
    stop.set()
    empty_redis.ping()
    listener.join(5)
    assert len(ExchangeAccount.objects.all()) == 25
    everything = [
        caplog.text,
        *pages,
        *queued,
        told.getvalue(),
        plain.getvalue(),
        str(caught.value),
        dump.read_bytes().decode("latin-1"),
    ]
    for canary in canaries:
        assert not any(canary in text for text in everything)
        assert not any(canary.encode().hex() in text for text in everything)
    assert "evalsha" in told.getvalue().lower() or "eval" in told.getvalue().lower()


@pytest.mark.parametrize(
    "broken",
    [
        "accounts.services.connecting._store",
        "accounts.vault.keyring._checked",
        "accounts.vault.keyfiles.fingerprint",
        "lib.envelope.AESGCM",
        "django.contrib.auth.middleware.get_user",
    ],
)
@pytest.mark.parametrize("path", [f"{PAGE}connect/", "/api/accounts"])
def test_a_report_of_an_error_leaves_the_secret_out(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch, broken: str, path: str
) -> None:
    """Django's own page of a traceback, as a developer would see it, wherever it breaks."""
    settings.DEBUG = True
    settings.BINANCE_SPOT_API_URL = "http://127.0.0.1:9"  # the key cannot be looked at before
    browser = sign_in(Client(raise_request_exception=False), alice)
    monkeypatch.setattr(broken, Mock(side_effect=ZeroDivisionError))
    form = {"label": "x", "api_key": "B" * 64, "secret": "canary-in-a-traceback"}
    page = browser.post(path, form).content.decode()
    assert "ZeroDivisionError" in page
    assert "canary-in-a-traceback" not in page
    assert "B" * 64 not in page


def test_only_one_module_opens_sealed_keys() -> None:
    root = Path(__file__).resolve().parents[2]
    openers = {
        str(path.relative_to(root))
        for app in ("accounts", "market", "journal", "config")
        for path in (root / app).rglob("*.py")
        if re.search(r"keyring\.unseal\(|envelope\.unseal\(", path.read_text())
    }
    assert openers == {
        "accounts/adapters.py",  # second factors
        "accounts/services/credentials.py",
        "accounts/services/tokens.py",
        "accounts/vault/keyring.py",
    }
