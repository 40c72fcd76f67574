"""What is open, in each unit, and of one account or all."""

from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.models import OpenPosition, Preferences, Trade
from journal.selectors.preferences import preferences_of
from journal.services import open_results, valuing
from journal.services.live_prices import Quote
from journal.services.open_results import OpenResult
from journal.services.valuing import Valued, value_positions
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


def open_one(user: User, label: str = "main") -> Trade:
    """Two bought at 100, with 0.1 of fees."""
    account = make_account(user, label)
    trades_of(account, make_fill(account, 1, "BUY", "100", quantity="2"))
    return Trade.objects.get(account=account)


def results(user: User, unit: str, unrealized: str = "19.9") -> list[OpenResult]:
    """As if the price were 110."""
    chosen = preferences_of(user)
    chosen.unit = unit
    items = [
        Valued(item.position, item.trade_id, Quote(D(110), 0), D(unrealized), D(220), D(1))
        for item in value_positions(user)
    ]
    return open_results.results_of(user, chosen, items)


def test_each_unit_tells_the_same_result(alice: User) -> None:
    """19.9 of 200.1 put in is 9.945 %; with a stop at 95 the risk is 10: 1.99 R."""
    open_one(alice)
    Trade.objects.update(placed_stop=D(95))
    (money,) = results(alice, "money")
    assert (money.value, money.risk) == (D("19.9"), D(10))
    (percent,) = results(alice, "percent")
    assert percent.value is not None
    assert round(percent.value, 3) == D("9.945")
    (risk,) = results(alice, "risk")
    assert risk.value == risk.r == D("1.99")


def test_a_trade_does_not_tell_the_result_of_what_is_kept_beside_it(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the two at 100 there are ten that came in at 150; the price is 110."""
    trade = open_one(alice)
    OpenPosition.objects.update(
        quantity=D(12), stack_quantity=D(10), cost=D(1700), trade_cost=D(200), trade_fees=D("0.1")
    )
    Trade.objects.update(placed_stop=D(95))
    prices = {"BTC": Quote(D(110), 0), "USDT": Quote(D(1), 0), "USD": Quote(D(1), 0)}
    monkeypatch.setattr(valuing, "dollars_now", lambda assets: prices)
    chosen = preferences_of(alice)
    (position,) = open_results.open_results(alice, chosen)
    assert (position.value, position.r) == (D("-380.1"), None)
    own = open_results.of_trade(alice, chosen, trade)
    assert own is not None
    assert (own.value, own.risk, own.r) == (D("19.9"), D(10), D("1.99"))
    chosen.unit = "percent"
    own = open_results.of_trade(alice, chosen, trade)
    assert own is not None
    assert own.value is not None
    assert round(own.value, 3) == D("9.945")


def test_without_a_stop_there_is_no_r_and_the_sum_says_so(alice: User) -> None:
    open_one(alice)
    open_one(alice, "second")
    Trade.objects.filter(account__label="main").update(placed_stop=D(95))
    chosen = Preferences(unit="risk")
    found = open_results.sum_of(results(alice, "risk"), chosen)
    assert (found.value, found.known, found.count) == (D("1.99"), 1, 2)
    assert (found.risk, found.with_stop, found.without_stop) == (D(10), 1, 1)


def test_per_cent_are_of_all_that_was_put_in(alice: User) -> None:
    open_one(alice)
    open_one(alice, "second")
    found = open_results.sum_of(results(alice, "percent"), Preferences(unit="percent"))
    assert found.value is not None
    assert round(found.value, 3) == D("9.945")


def test_positions_are_of_the_account_in_the_address(alice: User, alices_browser: Client) -> None:
    one, other = open_one(alice), open_one(alice, "second")
    assert len(open_results.open_results(alice, preferences_of(alice))) == 2
    for page in ("/", "/portfolio/"):
        every = alices_browser.get(page).context["positions"]
        of_one = alices_browser.get(f"{page}?account={one.account_id}").context["positions"]
        assert len(every) == 2
        assert [item.item.trade_id for item in of_one] == [one.pk]
    assert other.pk != one.pk


def test_nobody_sees_anothers_account_by_its_id(alice: User, bob: User, client: Client) -> None:
    trade = open_one(alice)
    client.force_login(bob)
    answer = client.get(f"/portfolio/?account={trade.account_id}")
    assert answer.status_code == 200
    assert answer.context["positions"] == []
