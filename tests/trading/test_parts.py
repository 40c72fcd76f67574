"""Spot entries of which only a part came in."""

from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.models import Fill, Order
from tests.accounts.exchange import AccountExchange
from tests.journal.accounts import make_fill, trades_of
from tests.trading.stage import truth
from tests.trading.test_orders_api import body, post
from trading.models import OrderIntent
from trading.services import parts, stopping, watching
from trading.services.settling import settle

pytestmark = pytest.mark.django_db(transaction=True)


def half_filled(
    browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> dict[str, Any]:
    """A bracket of 0.01 of which 0.004 came in, and the journal has heard of it."""
    sent = body(account, quantity="0.01", risk={"stop": "49000"}, targets=["200000"])
    told: dict[str, Any] = post(browser, sent).json()
    stage.sell("BTCUSDT", "50000", "0.004")
    news = {**told["order"], "status": "PARTIALLY_FILLED", "executed": "0.004"}
    news["changed"] += 1
    settle(told["id"], "accepted", "journal", order=news)
    return told


def protect(browser: Client, intent_id: str) -> Any:
    return browser.post(f"/api/orders/{intent_id}/protect")


def test_a_part_that_came_in_is_told_as_naked_once(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = half_filled(alices_browser, account, stage)
    assert (watching.watch_once(), watching.watch_once()) == (1, 0)
    (row,) = watching.naked_of(account.user_id)
    assert (row["intent"], row["quantity"], row["market"]) == (told["id"], "0.004", "spot")
    assert b"data-protect" in alices_browser.get("/trading/").content


def test_its_owner_lets_a_list_protect_that_part(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = half_filled(alices_browser, account, stage)
    answer = protect(alices_browser, told["id"])
    assert (answer.status_code, answer.json()["state"]) == (201, "accepted"), answer.json()
    assert protect(alices_browser, told["id"]).json()["id"] == answer.json()["id"]
    rows = truth(account, stage).values()
    assert [row["status"] for row in rows if row["type"] == "LIMIT"] == ["CANCELED"]
    # 0.004 less a fee of a thousandth, down to the step of 0.00001
    exits = [row for row in rows if row["status"] == "NEW"]
    assert [D(row["quantity"]) for row in exits] == [D("0.00399")] * 2
    assert watching.naked_of(account.user_id) == []


def test_a_part_that_stays_after_a_cancel_is_naked_too(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = half_filled(alices_browser, account, stage)
    assert alices_browser.delete(f"/api/orders/{told['id']}").json()["result"] == "cancelled"
    assert len(watching.naked_of(account.user_id)) == 1
    assert protect(alices_browser, told["id"]).status_code == 201
    assert watching.naked_of(account.user_id) == []


def test_protecting_asks_for_no_switch(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = half_filled(alices_browser, account, stage)
    stopping.stop(account=account, actor=account.user, why="owner", flatten=False)
    assert OrderIntent.objects.get(pk=told["id"]).executed == D("0.004")
    assert protect(alices_browser, told["id"]).status_code == 201


def heard(account: ExchangeAccount, told: dict[str, Any], **statuses: str) -> None:
    """The journal has heard how the exits of its list stand: above="CANCELED", …"""
    ids = OrderIntent.objects.get(pk=told["id"]).request["ids"]
    for number, (place, status) in enumerate(statuses.items()):
        Order.objects.update_or_create(
            account=account,
            market="spot",
            client_id=ids[place],
            defaults={
                "symbol": "BTCUSDT",
                "order_id": 10**9 + number,
                "side": "SELL",
                "type": "LIMIT_MAKER",
                "status": status,
                "price": D(1),
                "quantity": D("0.01"),
                "executed": D(0),
                "time": timezone.now(),
                "changed_at": timezone.now(),
            },
        )


def whole(browser: Client, account: ExchangeAccount) -> dict[str, Any]:
    """A bracket of 0.01 that came in, with the fill of it in the journal."""
    sent = body(account, quantity="0.01", risk={"stop": "49000"}, targets=["200000"])
    told: dict[str, Any] = post(browser, sent).json()
    news = {**told["order"], "status": "FILLED", "executed": "0.01"}
    news["changed"] += 1
    settle(told["id"], "accepted", "journal", order=news)
    trades_of(account, make_fill(account, 1, "BUY", "50000", quantity="0.01"))
    Fill.objects.update(order_id=told["order"]["order_id"])
    return told


def test_exits_that_somebody_cancelled_leave_it_naked_until_it_is_sold(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    told = whole(alices_browser, account)
    assert watching.watch_once() == 0, "nothing is heard of its exits"
    heard(account, told, above="NEW", below="NEW")
    assert watching.watch_once() == 0
    heard(account, told, above="CANCELED", below="CANCELED")
    assert [row["why"] for row in watching.naked_of(account.user_id)] == [
        "Its exits were cancelled."
    ]
    assert (watching.watch_once(), watching.watch_once()) == (1, 0)
    trades_of(account, make_fill(account, 2, "SELL", "51000", quantity="0.01"))
    assert watching.naked_of(account.user_id) == []


def test_an_exit_that_was_filled_is_no_alarm_and_its_entry_is_let_go(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    told = whole(alices_browser, account)
    heard(account, told, above="FILLED", below="EXPIRED")
    assert watching.watch_once() == 0
    assert parts.naked_entries().count() == 1, "its trade is open"
    trades_of(account, make_fill(account, 2, "SELL", "51000", quantity="0.01"))
    assert watching.watch_once() == 0
    assert parts.naked_entries().count() == 0


def test_an_entry_that_goes_on_is_watched_though_its_first_part_was_sold(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = half_filled(alices_browser, account, stage)
    trades_of(account, make_fill(account, 1, "BUY", "50000", quantity="0.004"))
    Fill.objects.update(order_id=told["order"]["order_id"])
    trades_of(account, make_fill(account, 2, "SELL", "51000", quantity="0.004"))
    assert watching.watch_once() == 0
    assert parts.naked_entries().count() == 1, "the rest of it may still come in"


def test_an_entry_without_a_fill_has_nothing_to_protect(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, body(account, risk={"stop": "49000"})).json()
    answer = protect(alices_browser, told["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_naked")
    assert truth(account, stage)[told["client_id"]]["status"] == "NEW"


def test_the_order_of_another_cannot_be_protected(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    assert protect(alices_browser, "00000000-0000-4000-8000-000000000009").status_code == 404
