"""The first stop of a trade: from the orders at the exchange, unless its owner says another."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.books.protecting import mark, protect_account
from journal.books.rebuilding import rebuild
from journal.filters import TradeFilter
from journal.models import Annotation, Book, ConditionalOrder, Preferences, Trade
from journal.selectors import reports
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import sums
from journal.selectors.trades import one
from journal.sync.saving_orders import save_conditionals
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made = make_account(alice)
    some_trades(made)
    protect_account(made)
    return made


@pytest.fixture
def short(account: ExchangeAccount) -> Trade:
    """Sold at 200, bought back at 190."""
    return Trade.objects.get(account=account, market="usdm")


def stop_of(trade: Trade, price: str, **more: Any) -> ConditionalOrder:
    """It lay from the opening on until the close."""
    plain: dict[str, Any] = {
        "account": trade.account,
        "market": "usdm",
        "symbol": trade.symbol,
        "algo_id": 7,
        "client_id": "mine",
        "side": "BUY",
        "type": "STOP_MARKET",
        "status": "CANCELED",
        "trigger_price": D(price),
        "closes_position": True,
        "time": trade.opened_at + timedelta(milliseconds=5),
        "changed_at": trade.closed_at,
    }
    return ConditionalOrder(**{**plain, **more})


def protected(trade: Trade, *orders: ConditionalOrder) -> Trade:
    save_conditionals(orders)
    protect_account(trade.account)
    return Trade.objects.get(pk=trade.pk)


def test_a_stop_at_the_exchange_gives_r_without_typing(
    short: Trade, alice: User, alices_browser: Client
) -> None:
    found = protected(short, stop_of(short, "204"))
    line = one(alice, found)
    assert (line.stop, line.stop_by) == (D(204), "orders")
    assert line.r is not None
    assert line.r == found.net / (4 * found.quantity)
    answer = alices_browser.get(f"/api/trades/{short.pk}").json()
    assert (answer["initial_stop"], answer["stop_by"]) == ("204", "orders")
    assert answer["stop_at"] == int(short.opened_at.timestamp() * 1000) + 5
    [laid] = answer["protection"]["path"]
    assert (laid["kind"], laid["price"], laid["order"]) == ("stop", "204", "algo:7")


def test_a_stop_by_hand_wins_is_changed_and_keeps_its_history(
    short: Trade, alice: User, alices_browser: Client
) -> None:
    protected(short, stop_of(short, "204"))
    address = f"/api/trades/{short.pk}"
    for stop in ("210", "205", None):
        answer = alices_browser.patch(
            address, {"initial_stop": stop}, content_type="application/json"
        )
        assert answer.status_code == 200
    found = answer.json()
    assert (found["initial_stop"], found["stop_by"]) == ("204", "orders")  # as it was found
    history = Annotation.objects.get(user=alice).stop_history
    assert [item["stop"] for item in history] == ["210", "205"]
    bad = alices_browser.patch(address, {"initial_stop": "-1"}, content_type="application/json")
    assert (bad.status_code, list(bad.json())) == (400, ["initial_stop"])


def test_a_wrong_first_stop_is_mended_on_the_page(short: Trade, alices_browser: Client) -> None:
    address = f"/trades/{short.pk}/note/"
    alices_browser.post(address, {"planned_stop": "2050", "initial_stop": ""})
    alices_browser.post(address, {"planned_stop": "2050", "initial_stop": "205"})
    note = Annotation.objects.get()
    assert (note.initial_stop, note.planned_stop) == (D(205), D(2050))
    page = alices_browser.get(f"/trades/{short.pk}/").content.decode()
    assert "before: 2050" in " ".join(page.split())
    # a plan that moves later leaves it
    alices_browser.post(address, {"planned_stop": "201", "initial_stop": "205"})
    assert Annotation.objects.get().initial_stop == D(205)


def test_a_cleared_first_stop_is_not_taken_from_an_old_plan(
    short: Trade, alices_browser: Client
) -> None:
    address = f"/trades/{short.pk}/note/"
    alices_browser.post(address, {"planned_stop": "205", "initial_stop": ""})
    alices_browser.post(address, {"planned_stop": "205", "initial_stop": ""})
    assert Annotation.objects.get().initial_stop is None


def test_r_is_summed_with_stops_of_both_kinds(short: Trade, alice: User) -> None:
    protected(short, stop_of(short, "204"))
    other = Trade.objects.get(account=short.account, market="spot", net=D("9.8"))
    Annotation.objects.create(
        user=alice, trade_key=other.key, initial_stop=D(95), fills=["spot:BTCUSDT:1"]
    )
    Preferences.objects.update_or_create(user=alice, defaults={"unit": "risk"})
    scope = Scope(alice, TradeFilter(), preferences_of(alice))
    expected = [one(alice, trade).r for trade in scope.trades]
    found = sums(scope)
    assert found.r_count == 2
    assert abs(found.r - sum((r for r in expected if r is not None), D(0))) < D("1e-12")


def test_a_report_tells_what_moving_the_stop_was_worth(short: Trade, alice: User) -> None:
    middle = short.opened_at + (short.closed_at - short.opened_at) / 2  # type: ignore[operator]
    protected(
        short,
        stop_of(short, "204", changed_at=middle),
        stop_of(short, "208", algo_id=8, time=middle),
    )
    chosen = preferences_of(alice)
    trades = Trade.objects.visible_to(alice).closed()
    groups = {group.name: group for group in reports.breakdown(trades, "stop", chosen)}
    assert set(groups) == {"No stop at the exchange", "Stop moved away from the price"}
    assert groups["Stop moved away from the price"].count == 1
    assert groups["Stop moved away from the price"].r_count == 1


def test_a_rebuild_from_nothing_finds_the_same(short: Trade) -> None:
    before = protected(short, stop_of(short, "204"))
    Trade.objects.filter(account=short.account).delete()
    for book in Book.objects.filter(account=short.account):
        rebuild(book)
    again = Trade.objects.get(account=short.account, key=before.key)
    assert (again.placed_stop, again.placed_stop_at) == (before.placed_stop, before.placed_stop_at)


def test_an_older_message_never_undoes_a_newer_one(short: Trade) -> None:
    done = stop_of(short, "204", status="FINISHED", made_order_id=9)
    late = stop_of(short, "204", status="NEW", changed_at=done.time)
    assert len(save_conditionals([done])) == 1
    assert save_conditionals([late]) == []
    kept = ConditionalOrder.objects.get()
    assert (kept.status, kept.made_order_id) == ("FINISHED", 9)


def test_only_trades_that_an_order_could_protect_are_looked_at_again(short: Trade) -> None:
    assert mark([stop_of(short, "204")])
    later = short.closed_at + timedelta(hours=1)  # type: ignore[operator]
    protect_account(short.account)
    assert not mark([stop_of(short, "204", time=later, changed_at=later)])
    assert not mark([stop_of(short, "204", type="MARKET")])


def test_conditional_orders_are_ones_own(short: Trade, alices_browser: Client) -> None:
    save_conditionals([stop_of(short, "204")])
    [row] = alices_browser.get("/api/orders/conditional").json()["rows"]
    assert (row["trigger_price"], row["status"], row["closes_position"]) == (
        "204",
        "CANCELED",
        True,
    )


def test_what_waits_stands_among_the_open_orders(short: Trade, alices_browser: Client) -> None:
    save_conditionals([stop_of(short, "204.5", status="NEW")])
    page = alices_browser.get(f"/account/exchange/{short.account_id}/history/").content.decode()
    assert "204.50" in page
    assert "the whole position" in page
