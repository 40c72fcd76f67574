"""A trade without a first stop has an R where its owner says what they usually risk, the same
everywhere; what is asked of stops stays of stops."""

from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.insight.cases import cases_of
from journal.insight.question import Question
from journal.insight.versions import version_of
from journal.models import Preferences, Trade
from journal.selectors import report_rows
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import sums
from journal.selectors.tallies import tally
from journal.selectors.trades import one
from journal.services import open_results
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
RISK = Preferences.Unit.RISK


@pytest.fixture
def trades(alice: User) -> list[Trade]:
    """+10 with a stop 5 away (2 R), +30 without one, -20 with a stop at the entry itself, and one
    that is open."""
    account = make_account(alice)
    fills = []
    for number, exit_price in enumerate(("110", "130", "80")):
        fills.append(make_fill(account, 10 * number + 1, "BUY", "100", fee=D(0)))
        fills.append(make_fill(account, 10 * number + 2, "SELL", exit_price, fee=D(0)))
    fills.append(make_fill(account, 91, "BUY", "100", fee=D(0)))
    trades_of(account, *fills)
    rows = list(Trade.objects.order_by("pk"))
    Trade.objects.filter(pk=rows[0].pk).update(placed_stop=D(95))
    Trade.objects.filter(pk=rows[2].pk).update(placed_stop=D(100))
    return list(Trade.objects.order_by("pk"))


def state(alice: User, amount: str | None) -> Preferences:
    chosen = preferences_of(alice)
    chosen.usual_risk = None if amount is None else D(amount)
    chosen.unit = RISK
    chosen.save()
    return preferences_of(alice)


@pytest.mark.parametrize(
    ("usual", "rs"), [(None, [D(2), None, None]), ("20", [D(2), D("1.5"), D(-1)])]
)
def test_every_place_tells_the_same_r(
    alice: User, trades: list[Trade], usual: str | None, rs: list[D | None]
) -> None:
    chosen = state(alice, usual)
    assert [one(alice, trade).r for trade in trades[:3]] == rs
    known = [r for r in rs if r is not None]
    scope = Scope(alice, TradeFilter(), chosen)
    added = sums(scope)
    assert (added.r, added.r_count) == (sum(known), len(known))
    counted = tally(scope.trades, chosen, RISK)
    assert (counted.r, counted.r_count, counted.net) == (sum(known), len(known), sum(known))
    assert [row.r for row in report_rows.load(alice, scope.trades, chosen)] == rs
    question = Question(alice, TradeFilter(), chosen, lambda _done, _whole: None)
    for some in cases_of(question, question.rows):
        for case in some:
            assert case.factor * float(case.trade.net_money) == pytest.approx(case.made)


def test_it_is_filtered_by_and_told_how_it_is_measured(
    alice: User, trades: list[Trade], alices_browser: Client
) -> None:
    state(alice, "20")
    answer: Any = alices_browser.get("/api/trades?r_min=1").json()
    told = {row["id"]: (row["r"], row["r_by"], row["initial_stop"]) for row in answer["rows"]}
    assert told == {trades[0].pk: ("2", "stop", "95"), trades[1].pk: ("1.5", "usual", None)}
    page = alices_browser.get(f"/trades/{trades[1].pk}/").content.decode()
    assert "R is measured by your usual risk" in page
    assert "R is measured by your usual risk" not in (
        alices_browser.get(f"/trades/{trades[0].pk}/").content.decode()
    )


def test_the_open_risk_is_to_stops_alone(alice: User, trades: list[Trade]) -> None:
    chosen = state(alice, "20")
    [result] = open_results.open_results(alice, chosen)
    assert (result.risk, result.risk_to_stop) == (D(20), None)
    total = open_results.sum_of([result], chosen)
    assert (total.risk, total.with_stop, total.without_stop) == (D(0), 0, 1)


def test_what_insight_keeps_is_made_anew(alice: User, trades: list[Trade]) -> None:
    assert version_of(alice, state(alice, None)) != version_of(alice, state(alice, "20"))


@pytest.mark.parametrize("amount", ["0", "-5", "much"])
def test_a_risk_of_nothing_is_refused(alice: User, alices_browser: Client, amount: str) -> None:
    said = {"method": "fifo", "zone": "UTC", "day_start": "0", "currency": "USD"}
    answer = alices_browser.post(
        "/settings/", {**said, "usual_risk": amount}, headers={"X-Part": "at-once"}
    )
    assert answer.status_code == 422
    assert "usual_risk" in answer.json()["errors"]
    assert preferences_of(alice).usual_risk is None
