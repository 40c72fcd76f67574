"""Connecting an account: what is looked at, what is refused, what is never shown."""

from decimal import Decimal as D
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.test import Client

from accounts.models import AuditEntry, CredentialUse, ExchangeAccount, User
from accounts.services import connecting, credentials, erasing, looking, removing, valuation
from accounts.templatetags.account_texts import check_text, problem_text
from journal.models import Fill
from lib.secret import Secret
from market.binance import governor
from tests.accounts.connected import connected
from tests.accounts.exchange import AccountExchange
from tests.journal.accounts import make_account, some_trades

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]


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


def test_an_account_is_deleted_although_a_worker_writes_a_row_of_it_meanwhile(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account(alice)
    connecting.disconnect(account=account, user=alice, with_data=True)
    plain, tries = connection.check_constraints, []

    def conflict_once() -> None:
        plain()
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError  # as a commit does

    monkeypatch.setattr(connection, "check_constraints", conflict_once)
    removing.remove(str(account.pk))
    assert not ExchangeAccount.objects.exists()
    assert AuditEntry.objects.filter(action="account deleted").count() == 1


def test_a_deleted_account_is_out_of_sight_at_once_and_its_rows_go_in_a_worker(
    alice: User, bob: User, alices_browser: Client, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    some_trades(account)
    theirs = make_account(bob)
    some_trades(theirs)
    answer = alices_browser.delete(f"/api/accounts/{account.pk}")
    assert answer.status_code == 204
    # nothing has been taken yet, and nothing of it is shown
    assert Fill.objects.filter(account=account).exists()
    assert alices_browser.get("/api/accounts").json() == []
    assert alices_browser.get(f"/api/accounts/{account.pk}").status_code == 404
    assert alices_browser.get("/api/trades").json()["rows"] == []
    assert alices_browser.get("/api/trades/summary").json()["count"] == 0
    assert alices_browser.get("/api/fills").json()["rows"] == []
    assert bytes(ExchangeAccount.objects.get(pk=account.pk).api_key) == b""
    # the same key may be connected again before a worker comes
    again = connected(alice, opened)
    assert again.state == "live"
    assert removing.waiting() == [str(account.pk)]
    removing.remove(str(account.pk))
    assert removing.waiting() == []
    assert set(ExchangeAccount.objects.values_list("pk", flat=True)) == {again.pk, theirs.pk}
    assert not Fill.objects.filter(account=account).exists()
    assert Fill.objects.filter(account=theirs).exists()


def test_a_removal_that_was_killed_goes_on(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(alice)
    some_trades(account)
    removing.remove(str(account.pk))  # it was not deleted: nothing happens
    assert Fill.objects.filter(account=account).exists()
    connecting.disconnect(account=account, user=alice, with_data=True)
    plain = erasing.delete_rows
    calls: list[str] = []

    def killed(model: Any, path: str, owner: object) -> None:
        calls.append(model.__name__)
        if len(calls) == 12:
            raise KeyboardInterrupt
        plain(model, path, owner)

    monkeypatch.setattr(erasing, "delete_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        removing.remove(str(account.pk))
    assert removing.waiting() == [str(account.pk)]
    removing.remove(str(account.pk))
    assert not ExchangeAccount.objects.exists()


def test_disconnecting_forgets_the_key_or_everything(
    alice: User, exchange: AccountExchange
) -> None:
    kept, gone = connected(alice, exchange.open()), connected(alice, exchange.open())
    connecting.disconnect(account=kept, user=alice, with_data=False)
    connecting.disconnect(account=gone, user=alice, with_data=True)
    [row] = ExchangeAccount.objects.here()
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
    found = looking.Findings().bad("key exists", "bad_key")
    old = ExchangeAccount.objects.get(pk=account.pk)
    replace(account, exchange.post(f"/simulator/accounts/{opened['uid']}/keys"))
    with transaction.atomic():
        connecting._remember(old, found)
    account.refresh_from_db()
    assert account.state == "new"


def test_a_deleted_account_does_not_come_back_with_an_old_row(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    old = ExchangeAccount.objects.get(pk=account.pk)
    connecting.disconnect(account=account, user=alice, with_data=True)
    with pytest.raises(Http404):
        replace(old, exchange.post(f"/simulator/accounts/{opened['uid']}/keys"))
    assert not ExchangeAccount.objects.here().exists()


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
    found = looking.Findings(uid=1)
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


def test_the_ban_of_one_address_stops_account_calls_too(
    alice: User, exchange: AccountExchange, empty_redis: redis.Redis
) -> None:
    account = connected(alice, exchange.open())
    empty_redis.set(governor.ban_key(exchange.http), str(2**52))
    connecting.check(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("stale", "unreachable")


def test_the_rights_alone_are_looked_at_and_everything_where_they_differ(
    alice: User, exchange: AccountExchange
) -> None:
    opened = exchange.open()
    account = connected(alice, opened)
    looked_at = account.looked_at
    assert looked_at is not None
    connecting.check_rights(str(account.pk))
    account.refresh_from_db()
    assert account.looked_at == looked_at
    assert account.checked_at is not None
    assert account.checked_at > looked_at
    exchange.post(
        f"/simulator/keys/{opened['apiKey']}", permissions={"enableSpotAndMarginTrading": True}
    )
    connecting.check_rights(str(account.pk))
    account.refresh_from_db()
    assert account.looked_at is not None
    assert account.looked_at > looked_at
    assert outcomes(account)["trading"] == "note"
    exchange.post(f"/simulator/keys/{opened['apiKey']}", permissions={"enableWithdrawals": True})
    connecting.check_rights(str(account.pk))
    account.refresh_from_db()
    assert (account.state, account.problem) == ("broken", "may_withdraw")
    assert bytes(account.api_key) == b""
