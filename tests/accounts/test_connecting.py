"""Connecting an account: what is looked at, what is refused, what is never shown."""

import io
import logging
import re
import secrets
import threading
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.http import Http404
from django.test import Client

from accounts import tasks
from accounts.models import AuditEntry, CredentialUse, ExchangeAccount, User
from accounts.services import connecting, credentials, valuation
from accounts.templatetags.account_texts import check_text, problem_text
from accounts.vault import keyring
from lib.secret import Secret
from market.binance import governor
from tests.accounts.exchange import AccountExchange
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/account/exchange/"


@pytest.fixture
def exchange() -> Iterator[AccountExchange]:
    with AccountExchange().running() as running:
        yield running


@pytest.fixture(autouse=True)
def stage(
    settings: Any,
    tmp_path: Path,
    exchange: AccountExchange,
    monkeypatch: pytest.MonkeyPatch,
    db: None,
) -> None:
    """Our addresses lead to the exchange, keys lie in a folder, tasks run when asked."""
    settings.KEK_DIR = tmp_path / "keys"
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http
    keyring.ensure()

    def check(account_id: str) -> None:
        try:
            tasks.check_account(account_id)
        finally:
            connection.close()

    def at_once(account_id: str) -> None:
        done = threading.Thread(target=check, args=(account_id,))
        done.start()
        done.join(30)

    monkeypatch.setattr(tasks.check_account, "delay_on_commit", at_once)
    monkeypatch.setattr(cache, "add", lambda *args: True)


def connected(user: User, account: dict[str, Any], label: str = "main") -> ExchangeAccount:
    made = connecting.connect(
        user=user,
        label=label,
        api_key=Secret(account["apiKey"]),
        secret=Secret(account["secretKey"]),
    )
    connecting.check(str(made.pk))
    made.refresh_from_db()
    return made


def replace(account: ExchangeAccount, key: dict[str, Any]) -> None:
    connecting.replace_key(
        account=account,
        user=account.user,
        api_key=Secret(key["apiKey"]),
        secret=Secret(key["secretKey"]),
    )


def outcomes(account: ExchangeAccount) -> dict[str, str]:
    return {item["name"]: item["outcome"] for item in account.checks}


@pytest.mark.parametrize("kind", ["hmac", "ed25519", "rsa"])
def test_a_good_key_of_each_kind_connects(
    alice: User, exchange: AccountExchange, kind: str
) -> None:
    opened = exchange.open(kind=kind)
    account = connected(alice, opened)
    assert (account.state, account.problem, account.key_kind) == ("live", "", kind)
    assert account.binance_uid == opened["uid"]
    assert outcomes(account) == {
        "clock": "ok",
        "key exists": "ok",
        "signature": "ok",
        "ip restriction": "note",
        "no withdrawals": "ok",
        "reading": "ok",
        "spot": "ok",
        "futures": "ok",
        "trading": "ok",
    }
    rows = {row["asset"]: row for row in account.snapshot["balances"]}
    assert rows["USDT"] == {
        "asset": "USDT",
        "free": "5000",
        "locked": "0",
        "value": "5000",
        "source": "1",
    }
    assert rows["BTC"]["source"] == "BTCUSDT"
    assert D(account.snapshot["total"]) == sum(D(row["value"]) for row in rows.values())


@pytest.mark.parametrize(
    "permission", ["enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer"]
)
def test_a_key_that_may_withdraw_or_transfer_is_refused_and_forgotten(
    alice: User, exchange: AccountExchange, permission: str
) -> None:
    account = connected(alice, exchange.open(permissions={permission: True}))
    assert (account.state, account.problem) == ("broken", "may_withdraw")
    assert (bytes(account.api_key), bytes(account.api_secret)) == (b"", b"")
    assert permission in account.problem_detail


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"revoked": True}, "bad_key"),
        ({"addresses": ["10.0.0.9"]}, "bad_key"),
        ({"permissions": {"enableReading": False}}, "bad_key"),
    ],
)
def test_each_way_a_key_may_fail_is_told(
    alice: User, exchange: AccountExchange, change: dict[str, Any], problem: str
) -> None:
    opened = exchange.open()
    exchange.post(f"/simulator/keys/{opened['apiKey']}", **change)
    account = connected(alice, opened)
    assert (account.state, account.problem) == ("broken", problem)
    assert len(problem_text(account.problem)) > 30


def test_a_wrong_secret_is_told_apart_from_an_unknown_key(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    wrong = connected(alice, {**opened, "secretKey": "x" * 64})
    assert (wrong.problem, outcomes(wrong)["key exists"]) == ("signature", "ok")
    unknown = connected(alice, {**opened, "apiKey": "A" * 64})
    assert (unknown.problem, outcomes(unknown)["key exists"]) == ("bad_key", "bad")


def test_a_live_account_whose_key_was_revoked_breaks_and_a_new_key_mends_it(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    exchange.post(f"/simulator/keys/{opened['apiKey']}", revoked=True)
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("broken", "bad_key")
    fresh = exchange.post(f"/simulator/accounts/{opened['uid']}/keys")
    replace(account, fresh)
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("live", "")
    other = exchange.open()
    replace(account, other)
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("broken", "another_account")


def test_one_binance_account_is_connected_once_for_whoever_it_is(
    alice: User, bob: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    assert connected(alice, opened).state == "live"
    with pytest.raises(connecting.CannotConnect, match="connected already"):
        connected(bob, opened)
    second = exchange.post(f"/simulator/accounts/{opened['uid']}/keys")
    again = connected(bob, second)
    assert (again.state, again.problem) == ("broken", "connected_twice")
    assert not credentials.has_key(again)


def test_an_exchange_that_is_away_makes_it_stale_and_forgets_nothing(
    alice: User, exchange: AccountExchange, settings: Any
) -> None:
    account = connected(alice, exchange.open())
    settings.BINANCE_SPOT_API_URL = "http://127.0.0.1:9"
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("stale", "unreachable")
    settings.BINANCE_SPOT_API_URL = exchange.http
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("live", "")


def test_a_clock_that_is_wrong_is_measured_and_shown(
    alice: User, exchange: AccountExchange
) -> None:
    exchange.post("/simulator/faults/clock", ms=90_000)
    try:
        account = connected(alice, exchange.open())
    finally:
        exchange.post("/simulator/faults/clock", ms=0)
    assert account.state == "live"  # we go by its clock
    assert outcomes(account)["clock"] == "note"
    assert "Binance's is +" in check_text(account.checks[0])


def test_a_paused_account_is_asked_nothing(alice: User, exchange: AccountExchange) -> None:
    account = connected(alice, exchange.open())
    connecting.pause(account=account, user=alice, paused=True)
    before = CredentialUse.objects.count()
    connecting.check(str(account.pk))
    assert CredentialUse.objects.count() == before
    connecting.pause(account=account, user=alice, paused=False)
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert account.state == "live"


def test_disconnecting_forgets_the_key_or_everything(
    alice: User, exchange: AccountExchange
) -> None:
    kept, gone = connected(alice, exchange.open()), connected(alice, exchange.open())
    connecting.disconnect(account=kept, user=alice, with_data=False)
    connecting.disconnect(account=gone, user=alice, with_data=True)
    [row] = ExchangeAccount.objects.all()
    assert (row.pk, row.problem, credentials.has_key(row)) == (kept.pk, "disconnected", False)
    done = set(AuditEntry.objects.values_list("action", flat=True))
    assert {
        "account connected",
        "account disconnected",
        "account deleted",
    } <= (done)


def test_a_result_of_an_old_key_is_not_written_over_a_new_one(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    found = connecting.Findings().bad("key exists", "bad_key")
    old = ExchangeAccount.objects.get(pk=account.pk)
    replace(account, exchange.post(f"/simulator/accounts/{opened['uid']}/keys"))
    with transaction.atomic():
        connecting._remember(old, found)
    account.refresh_from_db()
    assert account.state == "new"


# --- pages and API ------------------------------------------------------------------------------


def test_the_pages_connect_show_and_change(
    alices_browser: Client, alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    page = alices_browser.get(f"{PAGE}connect/").content.decode()
    assert "127.0.0.1" in page
    form = {"label": "My spot", "api_key": opened["apiKey"], "secret": opened["secretKey"]}
    answer = alices_browser.post(f"{PAGE}connect/", form, follow=True)
    shown = answer.content.decode()
    assert "My spot" in shown
    assert "The key cannot withdraw or transfer." in shown
    assert "BTCUSDT" in shown
    account = ExchangeAccount.objects.get()
    url = f"{PAGE}{account.pk}/"
    assert "<html" not in alices_browser.get(url, headers={"X-Part": "refresh"}).content.decode()
    for wish, state in (("pause", "paused"), ("resume", "live"), ("check", "live")):
        alices_browser.post(f"{url}change/", {"do": wish})
        account.refresh_from_db()
        assert account.state == state
    alices_browser.post(f"{url}change/", {"do": "rename", "label": "Other"})
    assert "Other" in alices_browser.get(PAGE).content.decode()
    assert alices_browser.post(f"{url}change/", {"do": "fly"}).status_code == 400
    bad = alices_browser.post(
        f"{url}change/", {"do": "replace", "api_key": "-", "secret": "-"}, follow=True
    )
    assert "expected an API key of letters and digits" in bad.content.decode()
    alices_browser.post(f"{url}change/", {"do": "delete"})
    assert not ExchangeAccount.objects.exists()
    for shown_page in (shown, page):
        assert opened["apiKey"] not in shown_page
        assert opened["secretKey"] not in shown_page


def test_a_form_that_is_refused_does_not_show_the_secret_again(
    alices_browser: Client, exchange: AccountExchange
) -> None:
    form = {"label": "x", "api_key": "not a key!", "secret": "canary-secret-value"}
    page = alices_browser.post(f"{PAGE}connect/", form).content.decode()
    assert "expected an API key" in page
    assert "canary-secret-value" not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"permissions": {"enableWithdrawals": True}}, "This key may withdraw or transfer."),
        ({"revoked": True}, "Binance does not accept this key"),
        ({"secret": "x" * 64}, "The secret does not belong to this key."),
    ],
)
def test_a_key_that_the_page_refuses_leaves_nothing_behind(
    alices_browser: Client, exchange: AccountExchange, change: dict[str, Any], sentence: str
) -> None:
    opened = exchange.open(permissions=change.get("permissions", {}))
    if "revoked" in change:
        exchange.post(f"/simulator/keys/{opened['apiKey']}", revoked=True)
    secret = change.get("secret", opened["secretKey"])
    form = {"label": "x", "api_key": opened["apiKey"], "secret": secret}
    page = alices_browser.post(f"{PAGE}connect/", form).content.decode()
    assert sentence in page
    assert not ExchangeAccount.objects.exists()


def test_the_api_connects_lists_changes_and_never_tells_a_key(
    alices_token: dict[str, str], exchange: AccountExchange
) -> None:
    api = Client(**alices_token)  # type: ignore[arg-type]
    opened = exchange.open()
    asked = {"label": "main", "api_key": opened["apiKey"], "secret": opened["secretKey"]}
    made = api.post("/api/accounts", asked)
    assert made.status_code == 201
    assert api.post("/api/accounts", asked).status_code == 400
    assert api.post("/api/accounts", {"label": "x"}).json().keys() == {"api_key", "secret"}
    [listed] = api.get("/api/accounts").json()
    url = f"/api/accounts/{listed['id']}"
    assert (listed["state"], listed["last_four"]) == ("live", opened["apiKey"][-4:])
    changed = api.patch(url, {"label": "new", "paused": True}, content_type="application/json")
    assert (changed.json()["label"], changed.json()["state"]) == ("new", "paused")
    api.patch(url, {"paused": False}, content_type="application/json")
    assert api.post(f"{url}/check").status_code == 202
    fresh = exchange.post(f"/simulator/accounts/{opened['uid']}/keys")
    key = {"api_key": fresh["apiKey"], "secret": fresh["secretKey"]}
    assert api.put(f"{url}/key", key, content_type="application/json").status_code == 200
    text = api.get(url).content.decode() + made.content.decode()
    for secret in (opened["apiKey"], opened["secretKey"], fresh["apiKey"], fresh["secretKey"]):
        assert secret not in text
    assert api.delete(f"{url}?data=keep").status_code == 204
    assert api.get(url).json()["problem"] == "disconnected"
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_worth_is_shown_in_the_currency_that_was_chosen(
    alices_browser: Client, alice: User, exchange: AccountExchange
) -> None:
    account = connected(alice, exchange.open(balances={"USDT": "880.50"}))
    own_page = f"{PAGE}{account.pk}/"
    assert "880.5" in alices_browser.get(own_page).content.decode()
    alices_browser.post("/account/currency/", {"currency": "BNB"})
    answer = alices_browser.get(own_page)
    expected = (D("880.50") / D(account.snapshot["rates"]["BNB"])).quantize(D("0.00000001"))
    assert f"{expected.normalize():f}" in answer.content.decode()
    assert (
        alices_browser.post("/account/currency/", {"currency": "EUR"}, follow=True).status_code
        == 200
    )
    assert alices_browser.post("/account/currency/", {"currency": "XXX"}).status_code == 400


def test_accounts_of_another_venue_are_neither_shown_nor_asked(
    alices_browser: Client, alice: User, exchange: AccountExchange
) -> None:
    account = connected(alice, exchange.open(), "elsewhere")
    ExchangeAccount.objects.update(venue="binance")
    before = CredentialUse.objects.count()
    connecting.check(str(account.pk))
    assert CredentialUse.objects.count() == before
    assert "elsewhere" not in alices_browser.get(PAGE).content.decode()
    assert alices_browser.get(f"{PAGE}{account.pk}/").status_code == 404


# --- secrets ------------------------------------------------------------------------------------


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


# --- what a reviewer found ----------------------------------------------------------------------


def test_a_deleted_account_does_not_come_back_with_an_old_row(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    old = ExchangeAccount.objects.get(pk=account.pk)
    connecting.disconnect(account=account, user=alice, with_data=True)
    with pytest.raises(Http404):
        replace(old, exchange.post(f"/simulator/accounts/{opened['uid']}/keys"))
    assert not ExchangeAccount.objects.exists()


def test_an_old_row_does_not_forget_whose_account_it_is(
    alice: User, exchange: AccountExchange
) -> None:
    first = connecting.connect(
        user=alice, label="a", **as_given(exchange.open())
    )  # read before it was looked at
    old = ExchangeAccount.objects.get(pk=first.pk)
    connecting.check(str(first.pk))
    replace(old, exchange.open())
    connecting.check(str(first.pk))
    first.refresh_from_db()
    assert (first.state, first.problem) == ("broken", "another_account")


def as_given(key: dict[str, Any]) -> dict[str, Secret]:
    return {"api_key": Secret(key["apiKey"]), "secret": Secret(key["secretKey"])}


def test_a_private_key_that_cannot_sign_is_told(alice: User, exchange: AccountExchange) -> None:
    strange = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    account = connected(alice, {**exchange.open(), "secretKey": strange.decode()})
    assert (account.state, account.problem) == ("broken", "signature")


def test_an_odd_answer_does_not_leave_it_checking(
    alice: User, exchange: AccountExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valuation, "snapshot", Mock(side_effect=KeyError))
    account = connected(alice, exchange.open())
    assert (account.state, account.problem) == ("stale", "unreachable")


def test_a_pause_during_a_look_stays(alice: User, exchange: AccountExchange) -> None:
    account = connecting.connect(user=alice, label="a", **as_given(exchange.open()))
    found = connecting.Findings(uid=1)
    connecting.pause(account=account, user=alice, paused=True)
    with transaction.atomic():
        connecting._remember(account, found)
    account.refresh_from_db()
    assert account.state == "paused"
    connecting.disconnect(account=account, user=alice, with_data=False)
    connecting.pause(account=account, user=alice, paused=False)
    account.refresh_from_db()
    assert account.state == "paused"  # there is no key to go on with


def test_two_keys_of_one_account_looked_at_together(
    alice: User, bob: User, exchange: AccountExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = exchange.open()
    connected(alice, opened)
    monkeypatch.setattr(connecting, "_is_connected_twice", lambda *args: False)  # both look first
    second = exchange.post(f"/simulator/accounts/{opened['uid']}/keys")
    again = connecting.connect(user=bob, label="b", **as_given(second))
    connecting.check(str(again.pk))
    again.refresh_from_db()
    assert (again.state, again.problem) == ("broken", "connected_twice")


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


def test_the_ban_of_one_address_stops_account_calls_too(
    alice: User, exchange: AccountExchange, empty_redis: redis.Redis
) -> None:
    account = connected(alice, exchange.open())
    empty_redis.set(governor.ban_key(exchange.http), str(2**52))
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("stale", "unreachable")
