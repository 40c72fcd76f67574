"""Templates of brackets, the flow of the moment, and one's own record beside the button."""

import json
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Trade
from tests.trading.test_orders_api import body, post
from trading.models import OrderIntent
from trading.selectors.record import record_of
from trading.services import planning
from trading.services.moments import Moment

pytestmark = pytest.mark.django_db(transaction=True)


def put(browser: Client, rows: Any) -> Any:
    sent = {"brackets": rows}
    return browser.put("/api/brackets", json.dumps(sent), content_type="application/json")


def test_brackets_are_kept_as_a_whole_and_belong_to_their_user(
    alices_browser: Client, alice: User, bob: User
) -> None:
    scalp = {"name": "Scalp", "stop_percent": "0.5", "targets": ["1", "2.5"]}
    swing = {"name": "Swing", "targets": ["3"], "risk": {"percent": "1"}}
    assert put(alices_browser, [scalp, swing]).status_code == 200
    kept = put(alices_browser, [{**scalp, "stop_percent": "0.75"}]).json()["brackets"]
    assert kept == [{"name": "Scalp", "stop_percent": "0.75", "targets": ["1", "2.5"], "risk": {}}]
    assert alices_browser.get("/api/brackets").json()["brackets"] == kept
    other = Client()
    other.force_login(bob)
    assert other.get("/api/brackets").json() == {"brackets": []}


@pytest.mark.parametrize(
    "row",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a", "stop_percent": 0.5},
        {"name": "a", "stop_percent": "100"},
        {"name": "a", "targets": ["1"] * 6},
        {"name": "a", "risk": {"money": "1", "percent": "1"}},
        {"name": "a", "risk": {"percent": None}},
        {"name": "a", "risk": None},
        {"name": "a", "targets": ""},
        {"name": "a", "targets": [None]},
        {"name": "a", "other": 1},
        "a",
    ],
)
def test_an_odd_bracket_changes_nothing(alices_browser: Client, row: Any) -> None:
    assert put(alices_browser, [{"name": "Kept"}]).status_code == 200
    answer = put(alices_browser, [row])
    assert answer.status_code == 400, answer.json()
    assert [r["name"] for r in alices_browser.get("/api/brackets").json()["brackets"]] == ["Kept"]


def moment(buy: str, sell: str) -> Moment:
    return Moment(timezone.now(), D(buy), D(sell))


@pytest.mark.parametrize(
    ("buy", "sell", "is_buy", "share", "verdict"),
    [
        # (60 - 40) / 100
        ("60", "40", True, "0.2000", "with"),
        ("60", "40", False, "-0.2000", "against"),
        ("52", "48", True, "0.0400", "mixed"),
        ("0", "0", True, None, "unknown"),
    ],
)
def test_the_flow_of_the_moment_is_on_the_orders_side(
    buy: str, sell: str, is_buy: bool, share: str | None, verdict: str
) -> None:
    now = moment(buy, sell)
    assert now.share(is_buy=is_buy) == (None if share is None else D(share))
    assert now.verdict(is_buy=is_buy) == verdict


def closed(account: ExchangeAccount, number: int, net: str, flow: str) -> None:
    now = timezone.now()
    Trade.objects.create(
        account=account,
        key=f"spot:BTCUSDT:{number}",
        market="spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        position_side="BOTH",
        direction="LONG",
        opened_at=now,
        closed_at=now,
        quantity=D(1),
        entry_price=D(100),
        gross=D(net),
        fees=D(0),
        funding=D(0),
        net=D(net),
        net_money=D(net),
        fill_count=2,
        maker_share=D(0),
        flow=flow,
    )


def test_ones_own_record_is_of_such_moments_alone(account: ExchangeAccount) -> None:
    for number, net in enumerate(["10", "-4", "6"]):
        closed(account, number, net, "with")
    closed(account, 9, "-100", "against")
    record = record_of(account.user, is_buy=True, verdict="with", setup="")
    # (10 - 4 + 6) / 3
    assert (record["n"], record["wins"], record["mean"]) == (3, 2, "4")
    assert D(record["low"]) <= 4 <= D(record["high"])
    assert record_of(account.user, is_buy=False, verdict="with", setup="")["n"] == 0
    assert record_of(account.user, is_buy=True, verdict="with", setup="Breakout")["n"] == 0


def test_the_flow_is_told_before_and_frozen_with_the_plan(
    alices_browser: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "moment_of", lambda market, symbol: moment("60", "40"))
    path = "/api/orders/preview"
    told = alices_browser.post(path, body(account), content_type="application/json").json()
    assert (told["flow"]["verdict"], told["record"]["n"]) == ("with", 0)
    post(alices_browser, body(account))
    assert OrderIntent.objects.get().plan["flow"]["share"] == "0.2"
