"""Habits after losses and limits of the day are told once, to their owner, with what they cost."""

from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from alerts.evaluation import habits
from alerts.evaluation.facts import Facts
from alerts.models import Alert
from journal.models import Trade
from tests.alerts.evaluation.test_facts import alert_of, fill_now, told
from tests.journal.accounts import make_account
from trading.models import Rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = make_account(alice)
    return made


def minutes_ago(count: float) -> datetime:
    return timezone.now() - timedelta(minutes=count)


def trade(
    account: ExchangeAccount, ago: float, net: str, size: str = "100", is_open: bool = False
) -> Trade:
    """Opened so many minutes ago, and closed a minute later."""
    made: Trade = Trade.objects.create(
        account=account,
        key=f"BTCUSDT:{Trade.objects.count()}",
        market="spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        position_side="BOTH",
        direction="LONG",
        opened_at=minutes_ago(ago),
        closed_at=None if is_open else minutes_ago(ago - 1),
        quantity=D(1),
        entry_price=D(size),
        gross=D(net),
        fees=D(0),
        funding=D(0),
        net=D(net),
        net_money=D(net),
        size_money=D(size),
        fill_count=2,
        maker_share=D(0),
    )
    return made


def test_the_third_loss_in_a_row_is_told_with_what_going_on_has_cost(
    alice: User, bob: User, account: ExchangeAccount
) -> None:
    alert, others = alert_of(alice, kind="losing_streak"), alert_of(bob, kind="losing_streak")
    # an earlier streak, and what was opened after it: -20 and 5
    for ago, net in ((900, "-1"), (890, "-1"), (880, "-1"), (870, "-20"), (860, "5")):
        trade(account, ago, net)
    facts = Facts()
    for ago, net in ((20, "-1"), (15, "-2")):
        trade(account, ago, net)
    facts.round()
    assert told(alert) == []
    trade(account, 10, "-3")
    facts.round()
    facts.round()
    Facts().round()
    sentence = "3 losses in a row. What you opened after that many came to −15 so far, in 2 trades."
    assert told(alert) == [sentence]
    assert told(others) == []


def test_a_fourth_loss_is_told_to_who_asked_for_four(alice: User, account: ExchangeAccount) -> None:
    three, four = (alert_of(alice, kind="losing_streak", losses=count) for count in (3, 4))
    for ago in (20, 15, 10, 5):
        trade(account, ago, "-1")
    Facts().round()
    assert [len(told(three)), len(told(four))] == [1, 1]


def test_a_large_trade_after_a_loss_is_told_when_it_is_opened(
    alice: User, account: ExchangeAccount
) -> None:
    alert = alert_of(alice, kind="size_after_loss")
    for ago in (900, 890, 880, 870, 20):
        trade(account, ago, "-1")
    usual = trade(account, 12, "0", "140", is_open=True)
    Facts().round()
    assert told(alert) == []
    usual.delete()
    trade(account, 10, "0", "300", is_open=True)
    Facts().round()
    Facts().round()
    assert told(alert) == [
        "After a loss you opened BTCUSDT at 3 times your usual size. Such trades came to 0 so far, "
        "0 of them."
    ]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "day_loss",
            {"money": "5"},
            # 94.9 - 100 less two fees of 0.1
            "A rule of yours is broken: Today's loss is 5.3 of at most 5.",
        ),
        ("day_trades", {"count": 1}, "A rule of yours is broken: 1 trades today of at most 1."),
    ],
)
def test_a_limit_of_the_day_is_told_once_wherever_the_trade_was_placed(
    alice: User, account: ExchangeAccount, name: str, value: dict[str, Any], sentence: str
) -> None:
    alert, other = alert_of(alice, kind="rule"), alert_of(alice, kind="rule", rule="stop")
    Alert.objects.update(since=timezone.now() - timedelta(days=1))
    Rule.objects.create(user=alice, name=name, value=value)
    fill_now(account, 1, "BUY", "100")
    fill_now(account, 2, "SELL", "94.9")
    Facts().round()
    Facts().round()
    assert told(alert) == [sentence]
    assert told(other) == []


def test_one_whose_trades_cannot_be_judged_keeps_nobody_elses_habits_from_being_told(
    alice: User, bob: User, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert_of(alice, kind="losing_streak")
    alert = alert_of(bob, kind="losing_streak")
    for mine in (account, make_account(bob)):
        for ago in (20, 15, 10):
            trade(mine, ago, "-1")
    history = habits._history

    def ill(user: User) -> Any:
        if user == alice:
            raise ZeroDivisionError("an ill row")
        return history(user)

    monkeypatch.setattr(habits, "_history", ill)
    Facts().round()
    assert len(told(alert)) == 1
