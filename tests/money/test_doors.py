"""The cases of the money model from their rows to the API: lists, sums, days and the proof say one
thing."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.books import due, rebuilding
from journal.models import Preferences
from journal.services.histories import History
from tests.journal.accounts import make_account
from tests.money.cases import ALL
from tests.money.test_trying import RIGHT

pytestmark = pytest.mark.django_db


def keep(user: User, name: str) -> None:
    """The case's rows, books and prices as an account of the user."""
    case = History(make_account(user), ALL[name])
    case.save()
    case.build()


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_every_door_tells_the_same_of_a_case(
    alice: User, alices_browser: Client, name: str
) -> None:
    def ask(path: str, **query: str) -> Any:
        answer = alices_browser.get(path, query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    keep(alice, name)
    right = RIGHT[name]
    earned = D(right["net"]) + D(right["income"])
    # trades of unknown cost are in the list and in no statistic
    rows = [row for row in ask("/api/trades", state="closed")["rows"] if not row["apart"]]
    assert sorted(D(row["net_money"]) for row in rows) == sorted(D(t[3]) for t in right["trades"])
    summary = ask("/api/trades/summary")
    assert (summary["count"], D(summary["net"])) == (len(right["trades"]), earned)
    days = ask("/api/calendar")["rows"]
    assert sum((D(day["net"]) for day in days), D(0)) == earned
    assert sum(day["count"] for day in days) == len(right["trades"])
    home = ask("/api/dashboard")
    assert D(home["all"]["net"]) == D(home["equity"][-1]["equity"]) == earned
    told = ask("/api/proof")
    assert (D(told["realised"]), D(told["income"])) == (D(right["net"]), D(right["income"]))
    assert D(told["tax_realised"]) == D(right["tax_net"])
    assert abs(D(told["difference"])) < D("1e-12")
    held = ask("/api/positions")["positions"]
    assert bool(held) is bool(right["stack"] or right["open"])


def test_day_trades_beside_a_stack_are_dated_by_their_own_days(
    alice: User, alices_browser: Client
) -> None:
    keep(alice, "stack_and_day_trades")
    days = alices_browser.get("/api/calendar").json()["rows"]
    assert [(day["count"], D(day["net"])) for day in days] == [(1, 10)] * 10
    assert days[0]["day"] == "2026-03-02"


def test_interest_counts_on_its_day_and_is_no_trade(alice: User, alices_browser: Client) -> None:
    """12 of interest and 10 of a trade on each of five days."""
    keep(alice, "interest_between_day_trades")
    days = alices_browser.get("/api/calendar").json()["rows"]
    assert [(day["count"], D(day["net"])) for day in days] == [(1, 22)] * 5
    summary = alices_browser.get("/api/trades/summary").json()
    assert (D(summary["income"]), D(summary["win_rate"])) == (60, 1)


def test_the_tax_view_follows_the_method_and_the_trades_stay(
    alice: User, alices_browser: Client
) -> None:
    keep(alice, "stack_and_day_trades")
    for method, tax in (("lifo", 100), ("fifo", 20100)):
        Preferences.objects.update_or_create(user=alice, defaults={"method": method})
        due.make_everything_due(alice)
        rebuilding.rebuild_due(alice.exchange_accounts.get())
        told = alices_browser.get("/api/proof").json()
        assert (D(told["tax_realised"]), D(told["realised"])) == (tax, 100)
        assert alices_browser.get("/api/trades/summary").json()["count"] == 10
