"""The switch with its caps and its falls, the shell's command, previews, rules and their breaks."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import changes
from accounts.models import AuditEntry, ExchangeAccount, User
from accounts.services import connecting
from accounts.services.tokens import issue_token
from journal.models import Preferences
from market.models import Listing
from tests.accounts.exchange import AccountExchange
from tests.trading.stage import trader, truth
from tests.trading.test_orders_api import body, post
from trading import events
from trading.models import OrderIntent, RuleBreak, TradingSwitch
from trading.services import switching

pytestmark = pytest.mark.django_db(transaction=True)


def put(browser: Client, account: ExchangeAccount, **sent: Any) -> Any:
    return browser.put(f"/api/trading/{account.pk}", sent, content_type="application/json")


def test_the_owner_switches_on_for_a_time_and_off(
    alices_browser: Client, alice: User, stage: AccountExchange
) -> None:
    account = trader(alice, stage, on=False)
    until = timezone.now() + timedelta(hours=2)
    on = put(alices_browser, account, on=True, until=until.isoformat(), caps={"order": "100"})
    assert on.status_code == 200, on.json()
    assert (on.json()["on"], on.json()["caps"]) == (True, {"order": "100"})
    assert post(alices_browser, body(account)).status_code == 201
    assert put(alices_browser, account, on=False).json()["on"] is False
    assert post(alices_browser, body(account), "k2").json()["code"] == "trading_off"
    actions = set(AuditEntry.objects.filter(owner=alice).values_list("action", flat=True))
    assert {"trading switched on", "trading switched off"} <= actions


def test_no_token_switches_on(alice: User, stage: AccountExchange) -> None:
    account = trader(alice, stage, on=False)
    robot = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
    answer = put(robot, account, on=True, until="2030-01-01T00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (403, "session_only")


def test_with_real_money_on_asks_for_a_fresh_factor_and_off_never(
    alices_browser: Client, alice: User, stage: AccountExchange, settings: Any
) -> None:
    account = trader(alice, stage, caps={"order": "100"})
    settings.BINANCE = "live"
    wider = put(alices_browser, account, caps={"order": "200"})
    assert (wider.status_code, wider.json()["code"]) == (403, "step_up")
    assert put(alices_browser, account, caps={"order": "50"}).status_code == 200
    assert put(alices_browser, account, on=False).status_code == 200
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    assert put(alices_browser, account, on=True, until=until).status_code == 403


def test_a_key_that_may_not_trade_may_not(
    alices_browser: Client, alice: User, stage: AccountExchange
) -> None:
    account = trader(alice, stage, on=False, permissions={"enableFutures": False})
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    answer = put(alices_browser, account, on=True, until=until)
    assert (answer.status_code, answer.json()["code"]) == (403, "key_may_not_trade")
    shown = alices_browser.post(
        "/api/orders/preview", body(account), content_type="application/json"
    )
    assert shown.status_code == 200
    assert [row["code"] for row in shown.json()["problems"]] == ["key_may_not_trade"]


@pytest.mark.parametrize("what", ["password", "email", "factor", "deactivated"])
def test_the_switch_falls_when_the_sign_in_changes(
    alice: User, account: ExchangeAccount, what: Any
) -> None:
    changes.changed(alice, what)
    assert not switching.is_on(account)
    assert TradingSwitch.objects.get().ended_by == what


def test_it_falls_with_the_key_the_pause_and_its_end(alice: User, account: ExchangeAccount) -> None:
    ExchangeAccount.objects.update(api_key_hash="another")
    assert not switching.is_on(account)
    assert switching.end_due() == 1
    ExchangeAccount.objects.update(api_key_hash=account.api_key_hash)
    until = timezone.now() + timedelta(hours=1)
    switching.switch_on(account=account, actor=alice, until=until, caps={})
    connecting.pause(account=account, user=alice, paused=True)
    assert not switching.is_on(account)
    connecting.pause(account=account, user=alice, paused=False)
    assert not switching.is_on(account)
    account.refresh_from_db()
    switching.switch_on(account=account, actor=alice, until=until, caps={})
    TradingSwitch.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert not switching.is_on(account)
    assert switching.end_due() == 1
    assert TradingSwitch.objects.get().ended_by == "ended"


def test_the_shell_switches_on_with_the_caps_that_are_named(
    alice: User, stage: AccountExchange, settings: Any
) -> None:
    account = trader(alice, stage, on=False)
    out = StringIO()
    call_command("trading", "on", "alice", "--hours", "2", "--cap", "order=50", stdout=out)
    assert TradingSwitch.objects.get().caps == {"order": "50"}
    call_command("trading", "show", "alice", stdout=out)
    assert "order=50" in out.getvalue()
    call_command("trading", "off", stdout=out)
    assert not switching.is_on(account)
    for arguments in (("on", "nobody"), ("on",), ("on", "alice", "--cap", "size=1")):
        with pytest.raises(CommandError, match="Expected"):
            call_command("trading", *arguments, stdout=out)
    settings.BINANCE = "live"
    with pytest.raises(CommandError, match="simulator or testnet"):
        call_command("trading", "on", "alice", stdout=out)


def test_a_preview_tells_size_fees_and_r(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    sent = body(account, quantity=None, risk={"stop": "49000", "money": "25"}, targets=["53000"])
    told = alices_browser.post("/api/orders/preview", sent, content_type="application/json").json()
    # 25 over 1000; 0.025 x 50000; a thousandth of 1250 and of 0.025 x 49000
    assert (told["quantity"], told["notional"], told["risk"]) == ("0.025", "1250", "25")
    assert told["fee"] == "2.475"
    assert (told["r"], told["slippage"], told["problems"]) == (["3"], "0", [])
    assert truth(account, stage) == {}
    assert OrderIntent.objects.count() == 0


@pytest.mark.parametrize("path", ["/api/orders/preview", "/api/orders"])
def test_before_the_exchanges_list_has_come_the_moment_is_wrong_and_not_the_order(
    path: str, alices_browser: Client, account: ExchangeAccount
) -> None:
    Listing.objects.all().delete()
    headers = {"Idempotency-Key": "k1"}
    answer = alices_browser.post(
        path, body(account), content_type="application/json", headers=headers
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "has not come yet" in answer.json()["detail"]
    assert not OrderIntent.objects.exists()


def test_a_symbol_that_the_exchange_does_not_list_is_told(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    sent = body(account, symbol="NOSUCHUSDT")
    answer = alices_browser.post("/api/orders/preview", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (400, "symbol")


def test_a_futures_preview_tells_margin_and_liquidation(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    sent = body(account, market="usdm", price="95000", quantity="0.1", risk={"stop": "94000"})
    told = alices_browser.post("/api/orders/preview", sent, content_type="application/json").json()
    assert told["notional"] == "9500"
    assert float(told["margin"]) == 9500 / told["leverage"]
    assert float(told["liquidation"]) < 95000


def rules(browser: Client, *rows: dict[str, Any]) -> Any:
    return browser.put("/api/rules", {"rules": list(rows)}, content_type="application/json")


def test_a_rule_that_blocks_lets_pass_what_has_a_reason_and_keeps_the_break(
    alices_browser: Client, account: ExchangeAccount, stage: AccountExchange
) -> None:
    heard: list[events.TradingEvent] = []
    kept = rules(alices_browser, {"name": "stop", "value": {}, "mode": "block"})
    assert kept.status_code == 200, kept.json()
    answer = post(alices_browser, body(account))
    assert (answer.status_code, answer.json()["code"]) == (403, "rule_stop")
    assert truth(account, stage) == {}
    events.register(heard.append)
    try:
        went = post(alices_browser, body(account, override="hedged elsewhere"), "k2")
    finally:
        events._listeners.remove(heard.append)
    assert went.status_code == 201
    row = RuleBreak.objects.get()
    assert (row.rule, row.reason, str(row.intent_id)) == (
        "stop",
        "hedged elsewhere",
        went.json()["id"],
    )
    assert [event.kind for event in heard] == ["rule"]
    told = alices_browser.get("/api/rules").json()
    assert told["by_rule"] == [
        {"rule": "stop", "breaks": 1, "closed": 0, "net": "0", "worst": None}
    ]
    assert post(alices_browser, body(account, risk={"stop": "49000"}), "k3").status_code == 201


def test_what_is_hidden_is_hidden_where_one_trades(
    alices_browser: Client, account: ExchangeAccount, alice: User
) -> None:
    rules(alices_browser, {"name": "stop", "value": {}, "mode": "warn"})
    assert post(alices_browser, body(account, quantity="0.01234")).status_code == 201
    shown = alices_browser.get("/trading/").content.decode()
    assert "0.01234" in shown
    cost = re.search(r'<td class="number"><span class="amount[^"]*">([^<]+)</span></td>', shown)
    assert cost is not None
    assert cost[1] == "$0.00"
    Preferences.objects.update_or_create(user=alice, defaults={"hides_amounts": True})
    hidden = alices_browser.get("/trading/").content.decode()
    assert "0.01234" not in hidden
    assert "$0.00" not in hidden
    assert hidden.count("•••") >= 3


def test_odd_rules_change_nothing(alices_browser: Client, account: ExchangeAccount) -> None:
    rules(alices_browser, {"name": "day_trades", "value": {"count": 3}})
    for odd in (
        {"name": "unknown", "value": {}},
        {"name": "day_trades", "value": {"count": "x"}},
        {"name": "day_trades", "value": {"count": 2}, "mode": "shout"},
        {"name": ["day_trades"], "value": {"count": 2}},
    ):
        answer = rules(alices_browser, odd)
        assert (answer.status_code, answer.json()["code"]) == (400, "rules")
    told = alices_browser.get("/api/rules").json()
    assert told["rules"] == [{"name": "day_trades", "value": {"count": 3}, "mode": "warn"}]


@pytest.mark.parametrize("odd", [[], {}, ["all"], None, 7, True])
def test_the_brakes_refuse_what_is_no_name(
    alices_browser: Client, account: ExchangeAccount, odd: object
) -> None:
    def sent(path: str, body: dict[str, object]) -> Any:
        return alices_browser.post(
            path, body, content_type="application/json", headers={"Idempotency-Key": "odd"}
        )

    stopped = sent("/api/trading/stop", {"account": odd})
    assert (stopped.status_code, stopped.json()["field"]) == (400, "account")
    close = {"account": str(account.pk), "symbol": "BTCUSDT", "amount": "1", "position_side": odd}
    assert sent("/api/trading/close", close).status_code == 400


def test_entries_that_wait_to_be_filled_count_as_trades_of_the_day(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    rules(alices_browser, {"name": "day_trades", "value": {"count": 2}, "mode": "block"})
    resting = body(account)
    assert post(alices_browser, resting).status_code == 201
    assert post(alices_browser, resting, "k2").status_code == 201, "one trade, if they fill"
    usdm = body(account, market="usdm", price="93000", quantity="0.01")
    assert post(alices_browser, usdm, "k3").status_code == 201
    refused = post(alices_browser, resting, "k4")
    assert refused.json()["code"] == "rule_day_trades"
    assert refused.json()["detail"].startswith("0 trades today and 2 waiting to be filled of at")


def test_the_page_shows_switch_orders_and_rules(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    post(alices_browser, body(account))
    page = alices_browser.get("/trading/")
    assert page.status_code == 200
    assert "BTCUSDT" in page.content.decode()
    form = {"day_loss": "100", "losses": "2", "minutes": "30", "blocks": ["day_loss"]}
    assert alices_browser.post("/trading/rules/", form).status_code == 302
    told = {row["name"]: row for row in alices_browser.get("/api/rules").json()["rules"]}
    assert told["day_loss"] == {"name": "day_loss", "value": {"money": "100"}, "mode": "block"}
    assert told["pause"]["value"] == {"losses": 2, "minutes": 30}
    half = alices_browser.post("/trading/rules/", {"losses": "2"})
    assert half.status_code == 400
    off = alices_browser.post(f"/trading/{account.pk}/switch/", {"action": "off"})
    assert off.status_code == 302
    assert not switching.is_on(account)
    on = alices_browser.post(
        f"/trading/{account.pk}/switch/", {"action": "on", "hours": "2", "order": "100"}
    )
    assert on.status_code == 302
    assert TradingSwitch.objects.get().caps == {"order": "100"}
