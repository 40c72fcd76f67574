"""Two free sets of trades on one page, with what is between them."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.selectors.preferences import preferences_of
from journal.selectors.two_sets import TwoSets
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
ETH = {"symbol": "ETHUSDT", "base": "ETH"}


def two_symbols(user: User) -> None:
    """BTC makes 9.8 and loses 10.2, ETH makes 19.8 twice."""
    account = make_account(user)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110"),
        make_fill(account, 2001, "BUY", "100"),
        make_fill(account, 2002, "SELL", "90"),
        make_fill(account, 4001, "BUY", "100", **ETH),
        make_fill(account, 4002, "SELL", "120", **ETH),
        make_fill(account, 6001, "BUY", "100", **ETH),
        make_fill(account, 6002, "SELL", "120", **ETH),
    )


def page_of(browser: Client, query: str) -> str:
    answer = browser.get(f"/reports/compare/?{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_set_beside_all_others(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    answer = alices_browser.get("/reports/compare/?symbol=ETHUSDT")
    pair = answer.context["pair"]
    assert (pair.first.count, pair.second.count) == (2, 2)
    assert pair.mean.mean == pair.first.mean - pair.second.mean == 20
    assert not answer.context["is_free"]


def test_two_free_sets_stand_in_the_address(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    query = "symbol=ETHUSDT&beside=set&b_symbol=BTCUSDT&b_result=win"
    answer = alices_browser.get(f"/reports/compare/?{query}")
    pair = answer.context["pair"]
    assert (pair.first.count, pair.second.count) == (2, 1)
    assert pair.mean.mean == 10
    # one trade has no range, and neither has what is between
    assert pair.mean.low is None
    page = page_of(alices_browser, query)
    # each bar keeps what the other is set to, so that the address has both
    first, second = page.split('aria-label="Second set"')
    assert '<input type="hidden" name="b_symbol" value="BTCUSDT">' in first
    assert '<input type="hidden" name="symbol" value="ETHUSDT">' in second
    assert 'name="b_direction"' in second
    swapped = answer.context["swapped"]
    turned = alices_browser.get(f"/reports/compare/?{swapped}").context["pair"]
    assert (turned.first.count, turned.mean.mean) == (1, -10)


def test_clearing_one_set_leaves_the_other(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    query = "symbol=ETHUSDT&beside=set&b_symbol=BTCUSDT"
    context = alices_browser.get(f"/reports/compare/?{query}").context
    left = alices_browser.get(f"/reports/compare/?{context['kept_query']}").context
    assert (left["pair"].first.count, left["pair"].second.count) == (4, 2)
    left = alices_browser.get(f"/reports/compare/?{context['second_cleared']}").context
    assert (left["pair"].first.count, left["pair"].second.count, left["is_free"]) == (2, 4, True)


def test_trades_in_both_sets_are_told(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    page = page_of(alices_browser, "symbol=ETHUSDT&beside=set&b_direction=LONG")
    assert "2 trades are in both sets" in page


def test_parts_are_those_of_either(alice: User) -> None:
    two_symbols(alice)
    chosen = preferences_of(alice)
    eth, btc = (
        TradeFilter(symbol=symbol).apply(alice, chosen) for symbol in ("ETHUSDT", "BTCUSDT")
    )
    both = TwoSets(eth, btc, is_of_others=False, chosen=chosen, dimension="symbol")
    assert [(one.name, one.first is None, one.mean) for one in both.parts()] == [
        ("BTCUSDT", True, None),
        ("ETHUSDT", False, None),
    ]
    (pair,) = replace(both, dimension="direction").parts()
    assert pair.mean is not None
    assert pair.mean.mean == 20
    first, second = both.by_day()
    assert (first[-1][1], second[-1][1]) == (D("39.6"), D("-0.4"))


@pytest.mark.parametrize("unit", ["money", "percent", "risk"])
def test_all_others_are_what_the_first_set_leaves(alice: User, unit: str) -> None:
    two_symbols(alice)
    chosen = preferences_of(alice)
    chosen.unit = unit
    wins = TradeFilter(result="win").apply(alice, chosen)
    losses = TradeFilter(result="loss").apply(alice, chosen)
    everything = TradeFilter().apply(alice, chosen)
    rest = TwoSets(wins, everything, is_of_others=True, chosen=chosen, dimension="hour")
    free = TwoSets(wins, losses, is_of_others=False, chosen=chosen, dimension="hour")
    assert rest.whole() == free.whole()
    assert rest.parts() == free.parts()
    assert rest.by_day() == free.by_day()
    assert rest.shared == free.shared == 0


def test_a_bad_second_set_is_told_and_an_empty_one_too(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    assert "expected one of" in page_of(alices_browser, "beside=set&b_market=moon")
    page = page_of(alices_browser, "symbol=ETHUSDT&beside=set&b_symbol=XRPUSDT")
    assert "–" in page
    assert "No trade matches" in page_of(alices_browser, "symbol=X&beside=set&b_symbol=X")


def test_the_unit_and_the_eye_reach_the_page(alice: User, alices_browser: Client) -> None:
    two_symbols(alice)
    alices_browser.post("/settings/display/", {"unit": "percent"})
    assert "+20.00%" in page_of(alices_browser, "symbol=ETHUSDT")
    alices_browser.post("/settings/display/", {"unit": "money", "hide": "1"})
    page = page_of(alices_browser, "symbol=ETHUSDT")
    assert "•••" in page
    assert "20.00" not in page
