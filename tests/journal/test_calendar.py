"""The calendar's weeks, and how many of a day's trades went with the flow."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.models import Trade
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
# a Thursday and the Friday after it: of the first ISO week of 2026
BEFORE = datetime(2026, 1, 1, 10, tzinfo=UTC)


@pytest.fixture
def trades(alice: User) -> list[Trade]:
    """+10 and +20 in the first ISO week, which begins in 2025, and -5 a week later."""
    account = make_account(alice)
    fills = []
    for number, (day, exit_price) in enumerate(((-1, "110"), (1, "120"), (8, "95"))):
        at = BEFORE + timedelta(days=day)
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", time=at, fee=D(0)))
        left = at + timedelta(minutes=5)
        fills.append(make_fill(account, 10 * number + 2, "SELL", exit_price, time=left, fee=D(0)))
    trades_of(account, *fills)
    return list(Trade.objects.order_by("opened_at"))


def test_weeks_are_whole_over_the_turn_of_the_year(
    alices_browser: Client, trades: list[Trade]
) -> None:
    page = alices_browser.get("/calendar/?month=2026-01&view=weeks").content.decode()
    rows = re.findall(r"<tr>.*?</tr>", page.split("weeks")[-1], re.DOTALL)
    weeks = [row for row in rows if "Week" in row and "from=" in row]
    assert ["Week 2" in weeks[0], "Week 1" in weeks[1]] == [True, True]
    assert "from=2025-12-29&amp;to=2026-01-04" in weeks[1]
    assert "+$30.00" in weeks[1] and "\N{MINUS SIGN}$5.00" in weeks[0]
    # the head is the sum of what is listed
    assert "+$25.00" in page
    month = alices_browser.get("/calendar/?month=2026-01").content.decode()
    assert ">+$20<" in month and ">\N{MINUS SIGN}$5<" in month
    earlier = alices_browser.get("/calendar/?month=2025-01&view=weeks").content.decode()
    assert "Nothing was earned in this year." in earlier


def test_a_day_shows_how_its_trades_stood_to_the_flow(
    alices_browser: Client, trades: list[Trade]
) -> None:
    Trade.objects.filter(pk=trades[1].pk).update(flow="with")
    page = alices_browser.get("/calendar/?month=2026-01").content.decode()
    assert page.count("flow-strip") == 1
    assert "1 with the flow, 0 against it, of 1" in page
    Trade.objects.update(flow="against")
    page = alices_browser.get("/calendar/?month=2026-01&view=weeks").content.decode()
    assert "0 with, 2 against" in page
