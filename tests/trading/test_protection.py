"""Stops that are refused or gone, plans that become the trade's, and what is taken out late."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.models import Annotation, ConditionalOrder, Fill, FuturesPosition, Setup, Trade
from tests.accounts.exchange import AccountExchange
from tests.journal.accounts import make_fill, trades_of
from tests.trading.stage import truth
from tests.trading.test_orders_api import body, post
from trading import events
from trading.models import OrderIntent
from trading.services import adopting, cancelling, resolving, stopping, stranded, watching
from trading.services.settling import settle

pytestmark = pytest.mark.django_db(transaction=True)


def entry(account: ExchangeAccount, **more: object) -> dict[str, object]:
    return body(
        account,
        market="usdm",
        type="MARKET",
        price=None,
        quantity="0.01",
        risk={"stop": "80000"},
        **more,
    )


def test_a_refused_stop_is_an_alarm_and_the_position_can_be_left(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    heard: list[events.TradingEvent] = []
    stage.ask(
        "POST",
        "/simulator/faults/order",
        what="status",
        when="before",
        path="/fapi/v1/algoOrder",
        code=400,
        error=2021,
        seconds=60,
    )
    events.register(heard.append)
    try:
        told = post(alices_browser, entry(account)).json()
    finally:
        events._listeners.remove(heard.append)
    assert told["state"] == "accepted"
    assert [leg["state"] for leg in told["legs"]] == ["refused"], told
    assert [event.kind for event in heard] == ["naked"]
    sent = {"account": str(account.pk), "symbol": "BTCUSDT", "amount": "0.01"}
    left = alices_browser.post("/api/trading/close", sent, content_type="application/json")
    assert [row["state"] for row in left.json()["orders"]] == ["accepted"], left.json()
    held = stage.ask("GET", f"/simulator/accounts/{account.binance_uid}/truth")
    assert held["positions"] == {}


def test_a_stop_that_goes_while_the_position_stands_is_told_once(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    told = post(alices_browser, entry(account)).json()
    FuturesPosition.objects.update_or_create(
        account=account,
        symbol="BTCUSDT",
        position_side="BOTH",
        defaults={
            "quantity": D("0.01"),
            "entry_price": D(95000),
            "mark_price": D(95000),
            "liquidation_price": D(0),
            "unrealized": D(0),
            "margin": D(0),
            "margin_asset": "USDT",
            "updated_at": timezone.now(),
        },
    )
    assert watching.watch_once() == 0
    stop = OrderIntent.objects.select_related("account").get(pk=told["legs"][0]["id"])
    cancelling.cancel_intent(stop)
    assert (watching.watch_once(), watching.watch_once()) == (1, 0)
    assert [row["symbol"] for row in watching.naked_of(account.user_id)] == ["BTCUSDT"]


def test_a_stop_that_the_stream_tells_of_is_gone_too(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    told = post(alices_browser, entry(account)).json()
    stop = OrderIntent.objects.get(pk=told["legs"][0]["id"])
    ConditionalOrder.objects.create(
        account=account,
        symbol="BTCUSDT",
        algo_id=stop.order["algo_id"],
        client_id=stop.client_id,
        side="SELL",
        type="STOP_MARKET",
        status="CANCELED",
        trigger_price=D(80000),
        time=timezone.now(),
        changed_at=timezone.now() + timedelta(seconds=5),
    )
    assert adopting.follow_orders() == 1
    stop.refresh_from_db()
    assert stop.order["status"] == "CANCELED"
    assert adopting.follow_orders() == 0


def test_the_plan_becomes_the_trades_own(alices_browser: Client, account: ExchangeAccount) -> None:
    Setup.objects.create(user=account.user, name="Breakout")
    sent = body(
        account,
        type="MARKET",
        price=None,
        risk={"stop": "50000"},
        targets=["200000"],
        plan={"setup": "Breakout", "note": "as planned"},
    )
    told = post(alices_browser, sent).json()
    trades_of(
        account,
        make_fill(
            account, 7, "BUY", "95000", quantity="0.001", time=timezone.now() - timedelta(seconds=1)
        ),
    )
    assert adopting.adopt_once() == 0, "that fill is of another order"
    trades_of(account, make_fill(account, 8, "BUY", "95000", quantity="0.001", time=timezone.now()))
    fill = Trade.objects.get().fills.get(trade_id=8)
    fill.order_id = told["order"]["order_id"]
    fill.save()
    assert (adopting.adopt_once(), adopting.adopt_once()) == (1, 0)
    note = Annotation.objects.get()
    assert (note.initial_stop, note.planned_target) == (D(50000), D(200000))
    assert (note.setup and note.setup.name, note.note) == ("Breakout", "as planned")


def test_an_order_cancelled_before_it_is_known_goes_when_it_arrives(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    stage.post("/simulator/faults/order", what="cut", when="after", times=1, seconds=60)
    stage.post("/simulator/faults/order_hidden", ms=1500, seconds=1)
    told = post(alices_browser, body(account)).json()
    assert told["state"] == "unknown"
    said = alices_browser.delete(f"/api/orders/{told['id']}").json()
    assert said["result"] in {"under_way", "cancelled"}
    intent = OrderIntent.objects.get()
    deadline = timezone.now() + timedelta(seconds=60)
    while intent.state == "unknown" and timezone.now() < deadline:
        resolving.resolve_once()
        intent.refresh_from_db()
    stopping.late_arrivals()
    assert truth(account, stage)[told["client_id"]]["status"] == "CANCELED"


def test_stops_and_targets_go_out_with_their_position(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    told = post(alices_browser, entry(account, targets=["200000"])).json()
    news = {**told["order"], "status": "FILLED", "executed": "0.01"}
    news["changed"] += 1
    settle(told["id"], "accepted", "journal", order=news)
    usdm = {"market": "usdm", "realized": D(0), "quantity": "0.01"}
    trades_of(account, make_fill(account, 1, "BUY", "95000", **usdm))
    Fill.objects.update(order_id=told["order"]["order_id"])
    assert stranded.take_back() == 0, "it is held"
    trades_of(account, make_fill(account, 2, "SELL", "96000", **usdm))
    held = FuturesPosition.objects.create(
        account=account,
        symbol="BTCUSDT",
        position_side="BOTH",
        quantity=D("0.01"),
        entry_price=D(95000),
        mark_price=D(95000),
        liquidation_price=D(0),
        unrealized=D(0),
        margin=D(0),
        margin_asset="USDT",
        updated_at=timezone.now(),
    )
    assert stranded.take_back() == 0, "the exchange says that it is held"
    held.delete()
    assert (stranded.take_back(), stranded.take_back()) == (1, 0)
    assert stopping.late_arrivals() == 2
    legs = OrderIntent.objects.filter(parent=told["id"])
    assert {leg.order["status"] for leg in legs} == {"CANCELED"}
    assert watching.watch_once() == 0


def test_the_switch_of_another_shows_nothing(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    assert alices_browser.get(f"/api/trading/{account.pk}").json()["on"] is True
    other = "00000000-0000-4000-8000-000000000009"
    assert alices_browser.get(f"/api/trading/{other}").status_code == 404
