"""The insight page and API: what is claimed leads to its trades, others' trades never count."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.models import Trade
from journal.selectors import insight, report_rows
from journal.selectors.preferences import preferences_of
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.test_reports import rows_of

pytestmark = pytest.mark.django_db


def many(user: User) -> None:
    """Of 120 trades ETH always wins 10, BTC wins and loses in turn."""
    account = make_account(user)
    fills = []
    for number in range(120):
        symbol = {"symbol": "ETHUSDT", "base": "ETH"} if number % 2 else {}
        wins = bool(number % 2) or number % 4 == 0
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", **symbol))
        fills.append(make_fill(account, 10 * number + 5, "SELL", "110" if wins else "90", **symbol))
    trades_of(account, *fills)


def test_a_claim_leads_to_its_trades(alice: User, alices_browser: Client) -> None:
    many(alice)
    told = alices_browser.get("/api/insight").json()
    claim = next(one for one in told["findings"] if one["by"] == "symbol")
    behind = alices_browser.get("/api/insight", {"by": "symbol", "group": claim["group"]}).json()
    assert len(behind["trades"]) == claim["count"] == 60
    symbols = Trade.objects.filter(pk__in=behind["trades"]).values_list("symbol", flat=True)
    assert set(symbols) == {claim["group"]}
    page = alices_browser.get("/insight/").content.decode()
    assert "by=symbol&amp;group=" in page
    assert page.count("<polyline") == 3 + 3
    assert (
        "n = 60" in alices_browser.get("/insight/trades/?by=symbol&group=ETHUSDT").content.decode()
    )


def test_few_trades_are_told_to_be_few(alice: User, alices_browser: Client) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "90"))
    told = alices_browser.get("/api/insight").json()
    assert (told["count"], told["findings"], told["mean"], told["fate"]) == (1, [], None, None)
    assert "Too few trades" in alices_browser.get("/insight/").content.decode()


def test_an_unknown_question_is_refused(alices_browser: Client) -> None:
    answer = alices_browser.get("/api/insight", {"by": "moon"})
    assert answer.status_code == 400
    assert "was 'moon'" in str(answer.json())
    assert alices_browser.get("/insight/trades/?by=moon").status_code == 404
    assert alices_browser.get("/insight/trades/").status_code == 302


def test_a_stop_that_was_moved_is_set_beside_the_one_it_was(alice: User) -> None:
    """Bought one at 100 with a stop at 95, moved away; it fell to 88 and was sold at 90: -10 made,
    -5 kept."""
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "90"))
    trade = Trade.objects.get()
    net, gross, quantity, rate = trade.net_money, trade.gross_money, trade.quantity, trade.rate
    assert net is not None
    assert gross is not None
    assert rate is not None
    Trade.objects.update(placed_stop=D(95), stop_moves="away", worst=-12 * quantity)
    (row,) = rows_of(alice)
    assert row.kept == net - gross - 5 * quantity * rate
    assert insight.groups([row], preferences_of(alice))["stop_moved", ""] == [trade.pk]
    Trade.objects.update(worst=-4 * quantity)
    assert rows_of(alice)[0].kept is None


def test_what_is_kept_goes_with_the_unit(alice: User) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 2, "SELL", "90"))
    trade = Trade.objects.get()
    Trade.objects.update(placed_stop=D(95), stop_moves="away", worst=-12 * trade.quantity)
    chosen = preferences_of(alice)
    chosen.unit = "risk"
    (row,) = report_rows.in_unit(rows_of(alice), chosen)
    assert row.kept is not None
    assert row.net < -2 < D("-1.1") < row.kept < D("-0.9")
    assert row.closed_at - row.opened_at == timedelta(minutes=1)
