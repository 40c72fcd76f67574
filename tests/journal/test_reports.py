"""Streaks, days and findings, as they stood when each trade was opened."""

import html
import re
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.selectors import insight, report_rows, reports
from journal.selectors.preferences import preferences_of
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def rows_of(user: User) -> list[report_rows.Row]:
    chosen = preferences_of(user)
    return report_rows.load(user, TradeFilter().apply(user, chosen), chosen)


def test_streak_and_number_of_the_day_are_those_of_the_opening(alice: User) -> None:
    account = make_account(alice)
    eth = {"symbol": "ETHUSDT", "base": "ETH"}
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "90"),
        # opened after one loss, closed last of all
        make_fill(account, 3, "BUY", "100", **eth),
        make_fill(account, 30, "SELL", "120", **eth),
        make_fill(account, 4, "BUY", "100"),
        make_fill(account, 5, "SELL", "90"),
        # opened after two losses, while the ETH trade is still open
        make_fill(account, 6, "BUY", "100"),
        make_fill(account, 7, "SELL", "110"),
    )
    found = {
        (row.symbol, row.opened_at.minute): (row.after_loss, row.of_day) for row in rows_of(alice)
    }
    assert found == {
        ("BTCUSDT", 1): (0, 1),
        ("ETHUSDT", 3): (1, 2),
        ("BTCUSDT", 4): (1, 3),
        ("BTCUSDT", 6): (2, 4),
    }


def test_a_finding_needs_more_than_chance(alice: User) -> None:
    account = make_account(alice)
    fills = []
    for number in range(120):  # ETH always wins, BTC every second time
        symbol = {"symbol": "ETHUSDT", "base": "ETH"} if number % 2 else {}
        wins = bool(number % 2) or number % 4 == 0
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", **symbol))
        fills.append(make_fill(account, 10 * number + 5, "SELL", "110" if wins else "90", **symbol))
    trades_of(account, *fills)
    rows = rows_of(alice)
    texts = [finding.text for finding in insight.claims(rows, preferences_of(alice))]
    # of two halves that say the same one is told
    assert any("BTCUSDT: -10.00 a trade" in text and "n = 60" in text for text in texts)
    assert insight.claims(rows[:30], preferences_of(alice)) == []


def test_ranges_are_wilsons() -> None:
    low, high = reports.wilson(31, 100)
    assert (low, high) == (D("0.2278"), D("0.4063"))
    assert reports.wilson(0, 5)[0] == 0


@pytest.mark.parametrize(
    ("by", "shown"), [("weekday", "day"), ("hold", "&lt; 5 m"), ("direction", "Long")]
)
def test_a_group_is_told_without_the_number_that_keeps_it_in_order(
    alice: User, alices_browser: Client, by: str, shown: str
) -> None:
    account = make_account(alice)
    trades_of(account, make_fill(account, 1, "BUY", "100"), make_fill(account, 3, "SELL", "110"))
    page = alices_browser.get(f"/reports/?by={by}").content.decode()
    across = alices_browser.get(f"/reports/?by=symbol&across={by}").content.decode()
    (name,) = [row["name"] for row in alices_browser.get(f"/api/reports?by={by}").json()["rows"]]
    cell = re.search(r'<th data-value="([^"]+)">(.*?)</th>', page, re.S)
    assert cell
    assert html.unescape(cell[1]) == name
    assert shown in cell[2]
    assert not re.search(r">\s*\d", cell[2])
    assert re.search(rf'<th class="number">[^<\d]*{shown}</th>', across)
