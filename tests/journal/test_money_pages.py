"""What the money model shows: realised by trades and by whole coins, the stack, the proof, what was
set aside, what was there before the history."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, ExchangeAccount, User
from journal.books import comparing, rebuilding
from journal.filters import TradeFilter
from journal.models import Balance, Book, FillMark, OpeningBalance, Payment, Trade, Transfer
from journal.selectors.day import day_of_trader
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import (
    of_days,
    of_flows,
    sums,
    sums_by,
    sums_by_day,
    sums_by_day_and_flow,
)
from journal.sync.saving import save_transfers
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """A stack of 1 BTC bought at 80, a day trade of 0.5 (100 to 110), dollars for dollars, and a
    withdrawal that takes 0.1 BTC along."""
    account = make_account(alice)
    long_ago = {"time": datetime(2025, 8, 14, tzinfo=UTC), "fee": D(0)}
    plain = {"fee": D(0)}
    usdc = {"symbol": "USDCUSDT", "base": "USDC", **plain}
    trades_of(
        account,
        make_fill(account, 1, "BUY", "80", **long_ago),
        make_fill(account, 10, "BUY", "100", quantity="0.5", **plain),
        make_fill(account, 11, "SELL", "110", quantity="0.5", **plain),
        make_fill(account, 12, "BUY", "0.99", quantity="100", **usdc),
    )
    save_transfers(
        account,
        [
            Transfer(
                account=account,
                kind="withdrawal",
                external_id="w",
                asset="BTC",
                amount=D("-0.1"),
                time=START + timedelta(hours=1),
                source="rest",
            )
        ],
    )
    rebuilding.rebuild_due(account)
    return account


def test_realised_by_trades_and_by_whole_coins(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    by_trades = alices_browser.get("/reports/realized/").content.decode()
    # 0.5 x 10 of the day trade, 1 of dollars for dollars, 0.1 x 30 taken along from the stack
    assert "$9.00" in by_trades
    assert "exchanged" in by_trades
    assert "taken along" in by_trades
    by_coins = alices_browser.get("/reports/realized/?view=tax").content.decode()
    # oldest first: 0.5 x (110 - 80) + 1 + 0.1 x 30
    assert "$19.00" in by_coins
    assert "without that" in by_coins
    assert alices_browser.get("/api/realized?view=other").status_code == 400


def test_a_net_says_what_stands_in_it_beside_the_trades_that_are_counted(
    alices_browser: Client, alice: User, account: ExchangeAccount
) -> None:
    chosen = preferences_of(alice)
    told = sums(Scope(alice, TradeFilter(), chosen))
    assert (told.count, told.net) == (1, D(9))
    assert dict(told.parts) == {"traded": D(5), "stack": D(3), "rest": D(1)}
    for address in ("/trades/", f"/calendar/{START:%F}/"):
        page = alices_browser.get(address).content.decode()
        assert re.search(r"trades\s*<[^>]*>\+\$5\.00", page), address
        assert re.search(r"kept beside\s*<[^>]*>\+\$3\.00", page), address
    # among the trades, where they are asked for
    assert "kept beside" not in alices_browser.get("/trades/?kind=all").content.decode()
    alone = sums(Scope(alice, TradeFilter(kind="trade", direction="LONG"), chosen))
    assert alone.parts == []
    assert alone.net == D(5)


def test_a_days_path_ends_at_the_days_net(alice: User, account: ExchangeAccount) -> None:
    day = day_of_trader(alice, TradeFilter(), preferences_of(alice), START.date())
    assert day.path[-1][1] == day.sums.net == 9
    assert [at for at, _money in day.path] == sorted(at for at, _money in day.path)


def test_the_open_trades_tell_what_they_stand_at(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    trades_of(account, make_fill(account, 20, "BUY", "100", quantity="0.5", fee=D(0)))
    page = alices_browser.get("/trades/?state=open").content.decode()
    assert "1 open" in page
    assert "Realised so far" in page
    assert "Win rate" not in page
    assert "1 without a stop" in page or "n = 0/1" in page


def test_the_stack_is_listed_when_asked_for(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    def counted(query: str) -> int:
        count: int = alices_browser.get(f"/api/trades/summary?{query}").json()["count"]
        return count

    assert "taken along by a withdrawal" not in alices_browser.get("/trades/").content.decode()
    shown = alices_browser.get("/trades/?kind=stack").content.decode()
    assert "taken along by a withdrawal" in shown
    assert [counted(query) for query in ("", "kind=stack", "kind=all")] == [1, 1, 2]
    stack = Trade.objects.get(kind="stack")
    assert alices_browser.get(f"/trades/{stack.pk}/").status_code == 200


def test_the_months_of_the_report_are_those_of_the_calendar(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    months = alices_browser.get("/api/reports?by=month").json()["rows"]
    days = alices_browser.get("/api/calendar").json()["rows"]
    assert sum(D(row["net"]) for row in months) == sum(D(row["net"]) for row in days) == D(9)
    assert "2026-03" in alices_browser.get("/reports/?by=month").content.decode()


def test_a_trade_is_set_aside_and_taken_back(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    trades_of(account, make_fill(account, 20, "BUY", "120", fee=D(0)))
    opened = Trade.objects.get(closed_at=None)
    page = f"/trades/{opened.pk}/"
    assert "Set aside" in alices_browser.get(page).content.decode()
    answer = alices_browser.post(f"{page}aside/", {"do": "aside"})
    assert answer.status_code == 302
    assert not Trade.objects.filter(closed_at=None).exists()
    assert FillMark.objects.get().fill == "20"
    assert alices_browser.post("/trades/1000000/aside/", {"do": "aside"}).status_code == 404


def test_an_older_trade_that_a_purchase_set_aside_is_kept_open(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    day_trade = Trade.objects.get(kind="trade")
    assert day_trade.ends_older
    page = f"/trades/{day_trade.pk}/"
    assert "Keep the older one open" in alices_browser.get(page).content.decode()
    alices_browser.post(f"{page}aside/", {"do": "undo"})
    [kept] = Trade.objects.filter(kind="trade")
    assert (kept.opened_at.year, kept.closed_at) == (2025, None)


def test_what_was_there_before_is_taken_and_taken_back(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    Balance.objects.create(
        account=account,
        wallet="spot",
        asset="ETH",
        free=D(2),
        locked=0,
        updated_at=timezone.now(),
    )
    comparing.compare(account)
    page = f"/account/exchange/{account.pk}/"
    assert "It was there before" in alices_browser.get(f"{page}history/").content.decode()
    alices_browser.post(f"{page}openings/", {"wallet": "spot", "asset": "ETH"})
    opening = OpeningBalance.objects.get()
    assert (opening.asset, opening.quantity, opening.why) == ("ETH", D(2), "difference")
    rebuilding.rebuild_due(account)
    assert Payment.objects.get(kind="opening").quantity == D(2)
    assert AuditEntry.objects.filter(action="difference taken as opening").count() == 1
    # a balance that agrees is no opening
    alices_browser.post(f"{page}openings/", {"wallet": "spot", "asset": "ETH"})
    assert OpeningBalance.objects.count() == 1
    alices_browser.post(f"{page}openings/{opening.pk}/")
    rebuilding.rebuild_due(account)
    assert not Payment.objects.filter(kind="opening").exists()


def test_the_proof_stands_on_the_portfolio(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    text = alices_browser.get(f"/portfolio/?account={account.pk}").content.decode()
    assert "Does it add up?" in text
    assert "Agrees with the balances." in text
    hidden = {"hides_amounts": "1"}
    assert alices_browser.get("/portfolio/", hidden).status_code == 200


@pytest.mark.parametrize("unit", ["money", "risk"])
def test_one_reading_by_day_and_flow_tells_what_each_alone_does(
    alice: User, account: ExchangeAccount, unit: str
) -> None:
    """Of the stack, of what nobody opened, of payments and of trades."""
    closed = Trade.objects.closed().filter(kind="trade", account=account).order_by("pk")
    closed.filter(pk=closed[0].pk).update(flow="against", placed_stop=D(90))
    for number, kind in enumerate(("income", "funding", "fee")):
        Payment.objects.create(
            account=account,
            trade=closed[0] if kind != "income" else None,
            book=Book.objects.get(account=account, name="BTC"),
            market="spot",
            asset="USDT",
            kind=kind,
            external_id=kind,
            quantity=D(number + 1),
            worth=D(number + 1),
            money=D(number + 1),
            time=START + timedelta(days=number),
        )
    chosen = preferences_of(alice)
    chosen.unit = unit
    scope = Scope(alice, TradeFilter(), chosen)
    parts = sums_by_day_and_flow(scope)
    assert {flow for _day, flow in parts} == {"", "against"}
    assert of_days(parts) == sums_by_day(scope)
    assert of_flows(parts) == sums_by(scope, "flow")
