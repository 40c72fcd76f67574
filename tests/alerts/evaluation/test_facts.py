"""What happens to accounts is told by its own name, once, and to its owner only."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from alerts.evaluation import figures as evaluated
from alerts.evaluation.facts import Facts
from alerts.evaluation.figures import Figures, nearest_liquidation
from alerts.evaluation.system import System, look
from alerts.models import Alert, AlertEvent
from alerts.services import changing
from alerts.services.hearing import hear
from journal.models import FuturesPosition, Order
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def alert_of(user: User, **condition: Any) -> Alert:
    made = changing.create(user=user, body={"name": "x", "condition": condition})
    Alert.objects.filter(pk=made.pk).update(since=timezone.now() - timedelta(hours=1))
    return made


def told(alert: Alert) -> list[str]:
    return list(alert.events.order_by("at", "created_at").values_list("text", flat=True))


def fill_now(account: ExchangeAccount, number: int, side: str = "BUY", price: str = "100") -> None:
    now = timezone.now() - timedelta(seconds=60 - number)
    trades_of(account, make_fill(account, number, side, price, time=now))


def test_each_fill_is_told_once_and_to_its_owner(alice: User, bob: User) -> None:
    mine, others = alert_of(alice, kind="fill"), alert_of(bob, kind="fill")
    account = make_account(alice)
    fill_now(account, 1)
    fill_now(account, 2)
    facts = Facts()
    facts.round()
    facts.round()
    Facts().round()
    assert told(mine) == ["main: BUY 1 BTCUSDT at 100."] * 2
    assert told(others) == []


def test_an_account_and_a_side_may_be_named(alice: User) -> None:
    first, second = make_account(alice), make_account(alice, "second")
    alert = alert_of(alice, kind="fill", account=str(second.pk), state="sell")
    for account in (first, second):
        fill_now(account, 1)
        fill_now(account, 2, "SELL")
    Facts().round()
    assert told(alert) == ["second: SELL 1 BTCUSDT at 100."]


def test_fills_of_before_the_alert_or_of_long_ago_are_not_told(alice: User) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    alert = alert_of(alice, kind="fill")
    Alert.objects.update(since=timezone.now())
    fill_now(account, 2)
    Facts().round()
    assert told(alert) == []


def test_a_closed_trade_is_told_with_its_net(alice: User) -> None:
    alert, losses = (
        alert_of(alice, kind="trade_closed"),
        alert_of(alice, kind="trade_closed", state="loss"),
    )
    account = make_account(alice)
    fill_now(account, 1, "BUY", "100")
    Facts().round()
    assert told(alert) == []
    fill_now(account, 2, "SELL", "110")
    Facts().round()
    assert told(alert) == ["main: the trade in BTCUSDT is closed, net 9.8."]
    assert told(losses) == []


def test_an_order_is_told_at_each_of_its_states(alice: User) -> None:
    alert = alert_of(alice, kind="order", state="FILLED")
    account = make_account(alice)
    order = Order.objects.create(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        order_id=1,
        client_id="a",
        side="BUY",
        type="LIMIT",
        status="NEW",
        price=D(1),
        stop_price=D(0),
        quantity=D(2),
        executed=D(0),
        time=timezone.now(),
        changed_at=timezone.now(),
    )
    facts = Facts()
    facts.round()
    Order.objects.filter(pk=order.pk).update(
        status="FILLED", executed=D(2), changed_at=timezone.now()
    )
    facts.round()
    assert told(alert) == ["main: order BUY 2 BTCUSDT is FILLED."]


def test_an_accounts_new_state_is_told(alice: User) -> None:
    alert = alert_of(alice, kind="account")
    account = make_account(alice)
    facts = Facts()
    facts.round()
    ExchangeAccount.objects.filter(pk=account.pk).update(state="broken")
    facts.round()
    facts.round()
    assert told(alert) == ["The account main is broken."]


@dataclass
class Happened:
    user_id: int
    kind: str = "rule"
    key: str = "1"
    text: str = "no more than 3 trades a day"
    data: dict[str, Any] = field(default_factory=dict)


def test_a_broken_rule_is_told_once(alice: User, bob: User) -> None:
    alert = alert_of(alice, kind="rule")
    named = alert_of(alice, kind="rule", rule="day_loss")
    others = alert_of(bob, kind="rule")
    event = Happened(alice.pk, data={"rule": "most_trades"})
    hear(event)
    hear(event)
    assert told(alert) == ["A rule of yours is broken: no more than 3 trades a day."]
    assert told(named) == told(others) == []
    hear(Happened(alice.pk, key="2", data={"rule": "day_loss"}))
    assert len(told(named)) == 1
    hear(Happened(alice.pk, "intent", key="3"))
    assert len(told(alert)) == 2


class Ticking:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1000.0
        return self.now


def test_the_day_is_told_when_its_result_falls_to_a_limit(alice: User) -> None:
    alert = alert_of(alice, kind="pnl_day", below="-5")
    account = make_account(alice)
    figures = Figures(clock=Ticking())
    figures.round()
    assert told(alert) == []
    fill_now(account, 1, "BUY", "100")
    fill_now(account, 2, "SELL", "94.9")
    figures.round()
    figures.round()
    Figures(clock=Ticking()).round()
    # 94.9 - 100 less two fees of 0.1
    assert told(alert) == ["The result of the day is −5.3 (money)."]


def test_one_whose_figures_cannot_be_worked_out_stops_nobody_else(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert_of(alice, kind="pnl_day", below="-5")
    alert = alert_of(bob, kind="pnl_day", below="-5")
    account = make_account(bob)
    fill_now(account, 1, "BUY", "100")
    fill_now(account, 2, "SELL", "94.9")
    figure = evaluated._figure

    def ill(user: User, *rest: Any) -> Any:
        if user == alice:
            raise ZeroDivisionError("an ill row")
        return figure(user, *rest)

    monkeypatch.setattr(evaluated, "_figure", ill)
    Figures(clock=Ticking()).round()
    assert told(alert) == ["The result of the day is −5.3 (money)."]


def test_the_nearest_liquidation_is_meant(alice: User) -> None:
    account = make_account(alice)
    for symbol, mark, at in (("BTCUSDT", "100", "80"), ("ETHUSDT", "50", "48"), ("X", "1", "0")):
        FuturesPosition.objects.create(
            account=account,
            symbol=symbol,
            position_side="BOTH",
            quantity=D(1),
            entry_price=D(mark),
            mark_price=D(mark),
            liquidation_price=D(at),
            unrealized=D(0),
            margin=D(1),
            margin_asset="USDT",
            updated_at=timezone.now(),
        )
    found = nearest_liquidation(alice, "", "percent")
    assert found == (D(4), {"symbol": "ETHUSDT", "account": "main"})
    alert = alert_of(alice, kind="liquidation_distance", below="5")
    Figures(clock=Ticking()).round()
    assert told(alert) == ["ETHUSDT of main is 4 (percent) from its liquidation."]


def test_staff_hears_of_the_installation_and_nobody_else(alice: User, bob: User) -> None:
    alice.is_staff = True
    alice.save()
    alert = alert_of(alice, kind="system", state="key_refused")
    system = System(clock=Ticking())
    system.round()
    assert AlertEvent.objects.count() == 0
    account = make_account(bob)
    ExchangeAccount.objects.filter(pk=account.pk).update(state="broken")
    assert look()["key_refused"] == "1"
    system.round()
    system.round()
    assert told(alert) == ["Tapelog: key_refused: 1."]
    User.objects.update(is_staff=False)
    Alert.objects.update(state={}, version=99)
    System(clock=Ticking()).round()
    assert len(told(alert)) == 1
