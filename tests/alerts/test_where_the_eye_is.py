"""From what one looks at to an alert's form that knows it already."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.vault import keyring
from journal.models import Trade
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def links(page: Any) -> list[str]:
    """Addresses of alerts' forms on a page."""
    found = re.findall(r'href="(/alerts/new/\?[^"]+)"', page.content.decode())
    return [address.replace("&amp;", "&") for address in found]


def test_the_form_begins_with_what_was_known_and_keeps_it_for_another_kind(
    alices_browser: Client,
) -> None:
    address = "/alerts/new/?kind=price_crosses&market=usdm&symbol=ETHUSDT&level=61837.63"
    text = alices_browser.get(address).content.decode()
    assert re.search(
        r'name="c_level"[^>]* value="61837.63"|value="61837.63"[^>]* name="c_level"', text
    )
    assert '<input type="hidden" name="symbol" value="ETHUSDT">' in text
    assert '<input type="hidden" name="kind"' not in text
    assert "data-alert-preview-picture" in text


def test_what_was_handed_in_is_escaped(alices_browser: Client) -> None:
    text = alices_browser.get('/alerts/new/?kind=fill&x="><script>').content.decode()
    assert "<script>" not in text.replace('<script type="module"', "").replace("<script src", "")
    assert "&quot;&gt;&lt;script&gt;" in text


def test_an_account_leads_to_alerts_of_it(alices_browser: Client, alice: User) -> None:
    account = make_account(alice)
    page = alices_browser.get(f"/account/exchange/{account.pk}/")
    kinds = {re.search(r"kind=(\w+)", link)[1] for link in links(page)}  # type: ignore[index]
    assert kinds == {"account", "fill", "trade_closed", "pnl_day", "liquidation_distance"}
    assert all(f"account={account.pk}" in link for link in links(page))


def test_a_trade_leads_to_an_alert_at_its_entry(alices_browser: Client, alice: User) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100.5"))
    trade = Trade.objects.get()
    [link] = links(alices_browser.get(f"/trades/{trade.pk}/"))
    assert link == (
        f"/alerts/new/?kind=price_crosses&market=spot&symbol=BTCUSDT&level=100.5"
        f"&account={account.pk}"
    )
    assert alices_browser.get(link).status_code == 200


def test_staff_finds_alerts_of_the_installation_on_the_status_page(
    alices_browser: Client, alice: User
) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert "/alerts/new/?kind=system&state=backup_old" in links(alices_browser.get("/status/"))


def test_the_market_page_has_the_menu_of_the_chart(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    text = alices_browser.get("/market/BTCUSDT/").content.decode()
    assert "data-alert-aim" in text
    assert 'data-aim="level"' in text
    assert 'data-aim="band"' in text


def test_a_browser_may_be_told_while_no_page_is_open(alices_browser: Client) -> None:
    keyring.ensure()
    text = alices_browser.get("/alerts/channels/").content.decode()
    key = re.search(r'data-push="([A-Za-z0-9_-]+)"', text)
    assert key is not None
    assert len(key[1]) == 87  # 65 bytes: an uncompressed point of P-256


def test_the_worker_shows_what_is_pushed(client: Client) -> None:
    text = client.get("/sw.js").content.decode()
    assert 'addEventListener("push"' in text
    assert 'addEventListener("notificationclick"' in text
