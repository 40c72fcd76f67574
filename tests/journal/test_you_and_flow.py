"""You and the flow: curves, sentence, and the one switch of units, against hand-worked figures."""

from datetime import date
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.models import Annotation, Preferences, Trade
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.you_and_flow import you_and_flow
from journal.views.flow_words import flow_sentence
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(alice: User) -> User:
    """With the flow +9.8 (100 -> 110, fees 0.2); against it -5.2 (100 -> 95) and -10.2."""
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110"),
        make_fill(account, 11, "BUY", "100"),
        make_fill(account, 12, "SELL", "95"),
        make_fill(account, 21, "BUY", "100"),
        make_fill(account, 22, "SELL", "90"),
    )
    for trade in Trade.objects.filter(account=account):
        verdict = "with" if trade.net > 0 else "against"
        Trade.objects.filter(pk=trade.pk).update(flow=verdict)
    return alice


def scope(user: User) -> Scope:
    return Scope(user, TradeFilter(), preferences_of(user))


def test_it_adds_up_what_was_earned_with_and_against_the_flow(judged: User) -> None:
    found = you_and_flow(scope(judged))
    assert (found.with_flow.count, found.with_flow.traded) == (1, D("9.8"))
    assert (found.against.count, found.against.traded) == (2, D("-15.4"))
    assert found.with_curve == [(date(2026, 3, 2), D("9.8"))]
    assert found.against_curve == [(date(2026, 3, 2), D("-15.4"))]
    assert found.worst is not None
    assert found.worst.trade.net == D("-10.2")
    assert found.judged == found.count == 3
    assert found.is_few


def test_the_sentence_tells_money_and_how_many(judged: User) -> None:
    chosen = preferences_of(judged)
    text = flow_sentence(you_and_flow(scope(judged)), chosen, "USD")
    assert text == "Against the flow you gave back $15.40 in 2 trades. With it you made $9.80 in 1."


def test_the_sentence_hides_money_and_follows_the_switch(judged: User) -> None:
    chosen = preferences_of(judged)
    chosen.hides_amounts = True
    chosen.save()
    assert "•••" in flow_sentence(you_and_flow(scope(judged)), chosen, "USD")
    chosen.unit = Preferences.Unit.PERCENT
    chosen.save()
    # -15.4 of the 200 that were put in
    assert "7.70%" in flow_sentence(you_and_flow(scope(judged)), chosen, "USD")


def test_r_reaches_tiles_curves_and_reports(judged: User, client: Client) -> None:
    client.force_login(judged)
    for trade in Trade.objects.all():  # a stop at 90: 10 dollars of risk each
        Annotation.objects.create(
            user=judged, trade_key=trade.key, fills=[], initial_stop=90, planned_stop=90
        )
    client.post("/settings/display/", {"unit": "risk"})
    home = client.get("/").content.decode()
    assert "+0.98R" in home  # with the flow
    assert "−1.54R" in home  # against it
    assert "−0.19R" in home  # expectancy: -5.6 / 10 / 3
    assert "$" not in home[
        home.index('data-part-name="tiles"') : home.index('class="board')
    ].replace("fees $0.00", "")
    report = client.get("/reports/?by=direction").content.decode()
    assert "−0.19R" in report


def test_a_group_of_a_report_leads_to_its_trades(judged: User, client: Client) -> None:
    client.force_login(judged)
    report = client.get("/reports/?by=flow").content.decode()
    assert "/trades/?flow=against" in report


def test_distribution_and_trend_show_or_say_why_not(judged: User, client: Client) -> None:
    client.force_login(judged)
    assert 'class="picture-bar' in client.get("/reports/distribution/").content.decode()
    assert "Twenty-one closed trades" in client.get("/reports/trend/").content.decode()
    assert "Two closed trades" in client.get("/reports/distribution/?symbol=X").content.decode()


def test_a_day_tells_its_trades_and_keeps_a_note(judged: User, client: Client) -> None:
    client.force_login(judged)
    page = client.get("/calendar/2026-03-02/").content.decode()
    assert "3 trades" in page
    assert "−$5.60" in page  # 9.8 - 5.2 - 10.2
    part = client.get("/calendar/2026-03-02/", headers={"X-Part": "day"}).content.decode()
    assert "<html" not in part
    answer = client.post("/calendar/2026-03-02/", {"note": "patient"})
    assert answer["Location"] == "/calendar/?month=2026-03&day=2026-03-02"
    assert "patient" in client.get("/calendar/2026-03-02/").content.decode()
    assert client.get("/calendar/yesterday/").status_code == 404
