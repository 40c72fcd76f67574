"""Accounts on the pages and in the API."""

from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import CredentialUse, ExchangeAccount, User
from accounts.services import connecting
from tests.accounts.connected import PAGE, connected
from tests.accounts.exchange import AccountExchange

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("stage")]


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
    assert not ExchangeAccount.objects.here().exists()
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
    assert not ExchangeAccount.objects.here().exists()


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
