"""Where a histogram begins and ends: the results that the tails lie beyond."""

import random
from decimal import Decimal as D

import pytest

from accounts.models import User
from journal.drawings.spreads import round_edges
from journal.filters import TradeFilter
from journal.models import Trade
from journal.selectors.distributions import TAIL, distribution
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from tests.journal.accounts import make_account
from tests.journal.test_tallies import any_trade

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [2, 3, 49, 50, 51, 151])
def test_bins_lie_between_the_ends_of_all_results_in_their_order(alice: User, count: int) -> None:
    account, chance = make_account(alice), random.Random(count)
    trades = [any_trade(account, number, chance) for number in range(count)]
    for trade in trades:
        trade.kind, trade.is_apart, trade.ended_by = "trade", False, ""
        trade.closed_at = trade.opened_at
        trade.net_money = D(chance.randrange(-5000, 5000)) / 10
    Trade.objects.bulk_create(trades)
    shown = distribution(Scope(alice, TradeFilter(), preferences_of(alice)))
    assert shown is not None
    results = sorted(float(trade.net_money) for trade in trades)
    cut = int(count * TAIL)
    assert shown.edges == round_edges(results[cut], results[count - 1 - cut])
    assert sum(shown.counts) == shown.count == count
