"""The trade before and the one after, in whatever order the list has."""

from decimal import Decimal as D

import pytest
from django.db.models import QuerySet

from accounts.models import User
from journal.models import Trade
from journal.selectors.trades import SORTS, neighbours, order_of
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def trades(alice: User) -> "QuerySet[Trade]":
    """Three that are closed and one that is open; two of them made the same."""
    account = make_account(alice)
    prices = [("100", "110"), ("100", "110"), ("100", "90"), ("100", None)]
    fills = []
    for number, (bought, sold) in enumerate(prices):
        fills.append(make_fill(account, 10 * number + 1, "BUY", bought, fee=D(0)))
        if sold:
            fills.append(make_fill(account, 10 * number + 2, "SELL", sold, fee=D(0)))
    trades_of(account, *fills)
    assert Trade.objects.count() == len(prices)
    return Trade.objects.all()


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_they_are_those_of_the_list(trades: "QuerySet[Trade]", name: str, sign: str) -> None:
    listed = trades.order_by(*order_of(sign + name))
    ids = list(listed.values_list("pk", flat=True))
    padded = [None, *ids, None]
    for at, pk in enumerate(ids):
        assert neighbours(listed, pk) == (padded[at], padded[at + 2])


def test_a_trade_that_the_filter_leaves_out_has_none(trades: "QuerySet[Trade]") -> None:
    open_one = trades.get(closed_at=None)
    assert neighbours(trades.filter(closed_at__isnull=False).order_by("-pk"), open_one.pk) == (
        None,
        None,
    )
    assert neighbours(trades.none().order_by("-pk"), open_one.pk) == (None, None)
