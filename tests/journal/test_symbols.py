"""The filter bar offers what was traded, of every account and market, and nobody else's."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from journal.models import Trade
from journal.selectors.symbols import traded_symbols
from tests.journal.accounts import make_account
from tests.journal.test_tallies import any_trade

pytestmark = pytest.mark.django_db


def test_each_symbol_that_was_traded_stands_once(alice: User, bob: User) -> None:
    chance = random.Random(3)
    accounts = [make_account(alice), make_account(alice, "second")]
    Trade.objects.bulk_create(any_trade(accounts[n % 2], n, chance) for n in range(40))
    Trade.objects.bulk_create(any_trade(make_account(bob), n, chance) for n in range(1))
    Trade.objects.filter(account__user=bob).update(symbol="XRPUSDT")
    expected = Trade.objects.filter(account__user=alice).values_list("symbol", flat=True)
    names = sorted(set(expected))
    assert len(names) == 3
    with CaptureQueriesContext(connection) as queries:
        assert traded_symbols(alice) == names
    assert len(queries) == 1
    assert traded_symbols(bob) == ["XRPUSDT"]


def test_who_never_traded_is_offered_nothing(alice: User) -> None:
    assert traded_symbols(alice) == []
    make_account(alice)
    assert traded_symbols(alice) == []
