"""Setting a trade of a coin aside, through its door: done, undone, kept."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.books.due import make_everything_due
from journal.models import AssetPrice, FillMark, OpenPosition, Preferences, Trade
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
BNB = {"symbol": "BNBUSDT", "base": "BNB", "fee": D(0)}


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = make_account(alice)
    return made


def priced(asset: str, price: str) -> None:
    """In the minutes that fills of these tests are made in."""
    AssetPrice.objects.bulk_create(
        AssetPrice(
            venue="simulator",
            asset=asset,
            minute=START + timedelta(minutes=minute),
            symbol="",
            price=D(price),
        )
        for minute in range(20)
    )


def held(base: str) -> tuple[D, D]:
    """(in the open trade, in the stack)"""
    position = OpenPosition.objects.get(base=base)
    return position.trade_quantity, position.stack_quantity


def aside(browser: Client, trade: Trade, method: str = "post") -> Any:
    return getattr(browser, method)(f"/api/trades/{trade.pk}/aside")


def test_a_trade_with_results_ends_and_its_rest_is_kept_beside(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", fee=D(0)),
        make_fill(account, 2, "SELL", "110", quantity="0.4", fee=D(0)),
    )
    trade = Trade.objects.get()
    answer = aside(alices_browser, trade)
    assert (answer.status_code, answer.json()["id"]) == (200, trade.pk)
    trade.refresh_from_db()
    assert (trade.ended_by, trade.net, trade.closed_at) == (
        "set_aside",
        4,
        START + timedelta(minutes=2),
    )
    assert held("BTC") == (0, D("0.6"))
    assert aside(alices_browser, trade).status_code == 400  # it is closed
    assert aside(alices_browser, trade, "delete").status_code == 200
    trade.refresh_from_db()
    assert (trade.is_open, held("BTC")) == (True, (D("0.6"), 0))
    assert FillMark.objects.count() == 0


def test_a_trade_without_results_is_listed_no_more(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    trades_of(account, make_fill(account, 1, "BUY", "100"))
    answer = aside(alices_browser, Trade.objects.get())
    assert answer.json() == {"detail": "What it held is kept beside now."}
    assert (Trade.objects.count(), held("BTC")) == (0, (0, 1))


def test_the_mark_stands_on_the_coins_own_fill_not_on_a_fee_it_paid(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    """BNB paid the fee of a BTC purchase last: BTC's trade must not end with it."""
    priced("BNB", "500")
    trades_of(
        account,
        make_fill(account, 1, "BUY", "500", **BNB),
        make_fill(account, 2, "BUY", "100", fee=D("0.01"), fee_asset="BNB"),
    )
    aside(alices_browser, Trade.objects.get(base="BNB"))
    [mark] = FillMark.objects.all()
    assert (mark.symbol, mark.fill) == ("BNBUSDT", "1")
    assert Trade.objects.get(base="BTC").is_open
    assert held("BNB") == (0, D("0.99"))
    make_everything_due(account.user)
    rebuilding.rebuild_due(account)
    assert held("BTC") == (1, 0)


def test_sixty_days_of_rest_set_it_aside_until_the_owner_keeps_it(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    long_ago = START - timedelta(days=90)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "50", time=long_ago),
        make_fill(account, 2, "SELL", "60", quantity="0.5", time=long_ago),
        make_fill(account, 3, "BUY", "100"),
    )
    old, new = Trade.objects.order_by("opened_at")
    assert (old.ended_by, held("BTC")) == ("forgotten", (1, D("0.5")))
    assert aside(alices_browser, old, "delete").status_code == 200
    [mark] = FillMark.objects.all()
    assert (mark.kind, mark.fill) == ("keep", "3")
    joined = Trade.objects.get()
    assert (joined.key, joined.is_open, held("BTC")) == (old.key, True, (D("1.5"), 0))


def test_the_setting_never_keeps_everything(account: ExchangeAccount, alice: User) -> None:
    Preferences.objects.update_or_create(user=alice, defaults={"sets_aside": False})
    long_ago = START - timedelta(days=400)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "50", time=long_ago),
        make_fill(account, 2, "BUY", "100"),
    )
    assert Trade.objects.get().opened_at == long_ago


def test_what_cannot_be_set_aside_is_refused_with_a_sentence(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    usdm = {"market": "usdm"}
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110"),
        make_fill(account, 3, "BUY", "100", **usdm),
    )
    for trade in Trade.objects.all():
        answer = aside(alices_browser, trade)
        assert (answer.status_code, answer.json()) == (
            400,
            {"detail": ["Expected an open trade of a coin."]},
        )
        assert aside(alices_browser, trade, "delete").status_code == 400
    assert aside(alices_browser, Trade(pk=999_999)).status_code == 404
    assert FillMark.objects.count() == 0


def test_what_is_sold_from_the_stack_counts_in_money_and_in_no_statistic(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    """1 at 40 kept beside, a day trade of 10, and 0.5 of the 40 sold at 120."""
    free = {"fee": D(0)}
    trades_of(account, make_fill(account, 1, "BUY", "40", **free))
    aside(alices_browser, Trade.objects.get())
    trades_of(
        account,
        make_fill(account, 2, "BUY", "100", **free),
        make_fill(account, 3, "SELL", "110", **free),
        make_fill(account, 4, "SELL", "120", quantity="0.5", **free),
    )

    def ask(path: str, **query: str) -> Any:
        return alices_browser.get(path, query).json()

    summary = ask("/api/trades/summary")
    assert (summary["count"], D(summary["net"])) == (1, 50)
    assert D(ask("/api/dashboard")["all"]["net"]) == 50
    [day] = ask("/api/calendar")["rows"]
    assert (day["count"], D(day["net"])) == (1, 50)
    assert D(ask("/api/dashboard")["equity"][-1]["equity"]) == 50
    assert [row["net_money"] for row in ask("/api/trades")["rows"]] == ["10"]
    assert Trade.objects.filter(kind="stack").get().net == 40
