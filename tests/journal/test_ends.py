"""The first of many trades, over several accounts, are those of sorting all of them."""

import random

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.models import Trade
from journal.selectors import ends
from journal.selectors.ends import BY_CLOSING, first_of, pages_of
from journal.selectors.preferences import preferences_of
from journal.selectors.trades import SORTS, order_of
from tests.journal.accounts import make_account
from tests.journal.test_tallies import any_trade

pytestmark = pytest.mark.django_db
COUNT = 120


@pytest.fixture(params=[1, 3])
def trades(request: pytest.FixtureRequest, alice: User, bob: User) -> list[Trade]:
    """Of one account or of three; many at one moment."""
    chance = random.Random(5)
    accounts = [make_account(alice, f"account {number}") for number in range(request.param)]
    made = [any_trade(accounts[n % len(accounts)], n, chance) for n in range(COUNT)]
    other = make_account(bob)
    Trade.objects.bulk_create([*made, *(any_trade(other, n, chance) for n in range(30))])
    return list(Trade.objects.visible_to(alice))


@pytest.mark.parametrize("sort", [sign + name for name in SORTS for sign in ("", "-")])
@pytest.mark.parametrize("state", ["closed", "all"])
def test_they_are_those_of_the_whole_order(
    alice: User, trades: list[Trade], sort: str, state: str
) -> None:
    matching = TradeFilter(state=state, kind="all").apply(alice, preferences_of(alice))
    order = order_of(sort)
    whole = [trade.pk for trade in matching.order_by(*order)]
    assert len(whole) > 100
    assert [trade.pk for trade in first_of(matching, alice, order, 30)] == whole[:30]
    pages = pages_of(matching, alice, order, 25)
    assert pages.count == len(whole)
    seen = [trade.pk for page in pages for trade in page.object_list]
    assert seen == whole


def test_values_come_in_the_order_too(alice: User, trades: list[Trade]) -> None:
    closed = TradeFilter().apply(alice, preferences_of(alice))
    told = first_of(closed.values_list("pk", "closed_at"), alice, BY_CLOSING, 10)
    assert told == list(closed.order_by(*BY_CLOSING).values_list("pk", "closed_at")[:10])


def test_deep_in_a_list_everything_is_sorted(
    alice: User, trades: list[Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "DEEP", 40)
    closed = TradeFilter().apply(alice, preferences_of(alice))
    pages = pages_of(closed, alice, BY_CLOSING, 25)
    seen = [trade.pk for page in pages for trade in page.object_list]
    assert seen == [trade.pk for trade in closed.order_by(*BY_CLOSING)]


def test_who_has_no_account_has_none(charlie: User, trades: list[Trade]) -> None:
    assert first_of(Trade.objects.all(), charlie, BY_CLOSING, 5) == []


def test_pages_of_the_list_follow_one_another(
    alice: User, alices_browser: Client, trades: list[Trade]
) -> None:
    pages = [
        [line.trade.pk for _day, _sum, lines in context["days"] for line in lines]
        for number in (1, 2)
        for context in [alices_browser.get(f"/trades/?page={number}&kind=all").context]
    ]
    matching = TradeFilter(kind="all").apply(alice, preferences_of(alice))
    assert sum(pages, []) == [trade.pk for trade in matching.order_by(*BY_CLOSING)]
