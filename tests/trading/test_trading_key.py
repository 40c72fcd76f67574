"""A key of its own for orders: what it has to be, that orders go with it and with nothing else, and
what becomes of trading when it changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, CredentialUse, ExchangeAccount, TradingKey, User
from accounts.services import connecting, trading_keys
from accounts.services.connecting import CannotConnect
from accounts.tasks import check_account
from accounts.vault import keyring
from lib.secret import Secret
from tests.accounts.connected import connected
from tests.accounts.exchange import AccountExchange
from tests.trading.stage import trader, truth
from tests.trading.test_orders_api import body, post
from trading.errors import Forbidden
from trading.services import switching

pytestmark = pytest.mark.django_db(transaction=True)

MAY_TRADE = {"enableSpotAndMarginTrading": True, "enableFutures": True}


def reader(alice: User, stage: AccountExchange) -> ExchangeAccount:
    """An account whose own key may only read."""
    return trader(alice, stage, on=False, permissions={"enableFutures": False})


def another_key(stage: AccountExchange, account: ExchangeAccount, **may: bool) -> dict[str, Any]:
    key: dict[str, Any] = stage.post(
        f"/simulator/accounts/{account.binance_uid}/keys", permissions={**MAY_TRADE, **may}
    )
    return key


def put(account: ExchangeAccount, key: dict[str, Any]) -> None:
    trading_keys.put(account=account, user=account.user, **given(key))


def switch_on(account: ExchangeAccount) -> None:
    until = timezone.now() + timedelta(hours=1)
    switching.switch_on(account=account, actor=account.user, until=until, caps={})


def given(key: dict[str, Any]) -> dict[str, Any]:
    return {"api_key": Secret(key["apiKey"]), "secret": Secret(key["secretKey"])}


def test_orders_go_with_the_key_for_orders_and_reading_with_the_other(
    alices_browser: Client, alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    with pytest.raises(Forbidden, match="may not trade"):
        switching.need_trading_key(account)
    key = another_key(stage, account)
    answer = alices_browser.put(
        f"/api/accounts/{account.pk}/trading-key",
        {"api_key": key["apiKey"], "secret": key["secretKey"]},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.json()
    assert answer.json()["trading_last_four"] == key["apiKey"][-4:]
    assert key["secretKey"] not in answer.content.decode()
    switch_on(account)
    placed = post(alices_browser, body(account))
    assert placed.status_code == 201, placed.json()
    assert list(truth(account, stage)) == [placed.json()["client_id"]]
    assert CredentialUse.objects.filter(why="orders", subject=str(account.pk)).exists()


def test_another_key_for_orders_or_none_switches_trading_off(
    alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    put(account, another_key(stage, account))
    switch_on(account)
    # the key that reads is another one now: no order goes with it
    connecting.replace_key(account=account, user=alice, **given(another_key(stage, account)))
    connecting.check(str(account.pk))
    assert switching.is_on(account)
    put(account, another_key(stage, account))
    assert not switching.is_on(account)
    switch_on(account)
    trading_keys.remove(account=account, user=alice)
    assert not switching.is_on(account)
    assert not TradingKey.objects.exists()
    actions = AuditEntry.objects.filter(owner=alice).values_list("action", flat=True)
    assert {"trading key set", "trading key removed"} <= set(actions)


@pytest.mark.parametrize(
    ("may", "words"),
    [
        ({"enableWithdrawals": True}, "may withdraw or transfer"),
        ({"enableSpotAndMarginTrading": False, "enableFutures": False}, "may not trade"),
    ],
)
def test_a_key_that_may_too_much_or_too_little_is_not_kept(
    alice: User, stage: AccountExchange, may: dict[str, bool], words: str
) -> None:
    account = reader(alice, stage)
    with pytest.raises(CannotConnect, match=words):
        put(account, another_key(stage, account, **may))
    assert not TradingKey.objects.exists()


def test_a_key_of_another_account_or_the_same_key_is_not_kept(
    alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    with pytest.raises(CannotConnect, match="another Binance account"):
        put(account, stage.open(permissions=dict(MAY_TRADE)))
    own = stage.open(permissions=dict(MAY_TRADE))
    with pytest.raises(CannotConnect, match="another key than the one"):
        put(connected(alice, own, "other"), own)
    with pytest.raises(CannotConnect, match="does not accept"):
        put(account, {"apiKey": "A" * 64, "secretKey": "x" * 64})
    assert not TradingKey.objects.exists()


def test_a_key_that_may_withdraw_by_now_is_forgotten_and_trading_is_off(
    alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    key = another_key(stage, account)
    put(account, key)
    switch_on(account)
    check_account(str(account.pk))
    assert switching.is_on(account), "a look that finds nothing changes nothing"
    stage.post(f"/simulator/keys/{key['apiKey']}", permissions={"enableWithdrawals": True})
    check_account(str(account.pk))
    assert not TradingKey.objects.exists()
    assert not switching.is_on(account)
    account.refresh_from_db()
    assert account.state == "live", "the journal goes on"


def test_it_is_sealed_anew_with_the_others_and_goes_with_the_account(
    alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    key = another_key(stage, account)
    put(account, key)
    assert key["secretKey"].encode() not in bytes(TradingKey.objects.get().api_secret)
    keyring.promote(keyring.add().pk)
    list(keyring.rewrap())
    row = TradingKey.objects.get()
    assert keyring.unseal(row.sealed()["api_secret"], row.binding("api_secret")) == Secret(
        key["secretKey"]
    )
    connecting.disconnect(account=account, user=alice, with_data=False)
    assert not TradingKey.objects.exists()


def test_the_page_sets_and_forgets_it(
    alices_browser: Client, alice: User, stage: AccountExchange
) -> None:
    account = reader(alice, stage)
    key = another_key(stage, account)
    page = f"/account/exchange/{account.pk}/"
    sent = {"do": "trade", "api_key": key["apiKey"], "secret": key["secretKey"]}
    shown = alices_browser.post(f"{page}change/", sent, follow=True).content.decode()
    assert "Orders go with this key now" in shown
    assert f"…{key['apiKey'][-4:]}" in shown
    assert key["secretKey"] not in shown
    shown = alices_browser.post(f"{page}change/", {"do": "untrade"}, follow=True).content.decode()
    assert "The key for orders is forgotten" in shown
    bad = alices_browser.post(
        f"{page}change/", {**sent, "secret": "x" * 64}, follow=True
    ).content.decode()
    assert "The secret does not belong to this key" in bad
