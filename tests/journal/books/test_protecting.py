"""Which trades an order may have protected: those that were open while it lay there."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ExchangeAccount, User
from journal.books.protecting import mark
from journal.models import ConditionalOrder, Trade
from tests.journal.accounts import make_account

pytestmark = pytest.mark.django_db
START = datetime(2025, 3, 1, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT")


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def make_trade(account: ExchangeAccount, number: int, begin: int, end: int | None) -> Trade:
    symbol = SYMBOLS[number % 2]
    return Trade(
        account=account,
        key=f"trade-{number}",
        market="usdm",
        symbol=symbol,
        base=symbol[:3],
        quote="USDT",
        position_side="BOTH",
        direction="LONG",
        opened_at=at(begin),
        closed_at=None if end is None else at(end),
        quantity=D(1),
        entry_price=D(100),
        gross=D(1),
        fees=D(0),
        funding=D(0),
        net=D(1),
        fill_count=2,
        maker_share=D(0),
        protected_at=START,
    )


def make_stop(
    account: ExchangeAccount, symbol: str, begin: int, end: int | None
) -> ConditionalOrder:
    return ConditionalOrder(
        account=account,
        market="usdm",
        symbol=symbol,
        algo_id=begin,
        side="SELL",
        type="STOP_MARKET",
        status="NEW" if end is None else "CANCELED",
        trigger_price=D(90),
        closes_position=True,
        time=at(begin),
        changed_at=at(begin if end is None else end),
    )


def marked(account: ExchangeAccount) -> set[str]:
    return set(
        Trade.objects.filter(account=account, protected_at=None).values_list("key", flat=True)
    )


@pytest.mark.parametrize("seed", range(20))
def test_those_that_were_open_in_one_of_the_spans_are_looked_at_again(
    alice: User, bob: User, seed: int
) -> None:
    chance = random.Random(seed)
    mine, others = make_account(alice), make_account(bob)
    # few moments, so that many of them touch
    trades: list[tuple[int, int | None]] = []
    for _ in range(60):
        begin = chance.randrange(100)
        trades.append((begin, None if chance.random() < 0.05 else begin + chance.randrange(6)))
    for account in (mine, others):
        Trade.objects.bulk_create(
            make_trade(account, number, *times) for number, times in enumerate(trades)
        )
    orders: list[tuple[str, int, int | None]] = []
    for _ in range(chance.randrange(1, 12)):
        begin = chance.randrange(100)
        end = None if chance.random() < 0.03 else begin + chance.randrange(-2, 9)
        orders.append((chance.choice(SYMBOLS), begin, end))
    expected = {
        f"trade-{number}"
        for number, (opened, closed) in enumerate(trades)
        for symbol, begin, end in orders
        if symbol == SYMBOLS[number % 2]
        and (closed is None or closed >= begin)
        and (end is None or opened <= max(begin, end))
    }
    assert mark([make_stop(mine, *order) for order in orders]) == bool(expected)
    assert marked(mine) == expected
    assert marked(others) == set()


def test_a_page_of_orders_asks_once_for_each_symbol(alice: User) -> None:
    account = make_account(alice)
    Trade.objects.bulk_create(make_trade(account, n, 10 * n, 10 * n + 5) for n in range(100))
    counts = []
    for orders in (2, 200):
        stops = [make_stop(account, SYMBOLS[n % 2], 3 * n, 3 * n + 1) for n in range(orders)]
        with CaptureQueriesContext(connection) as asked:
            assert mark(stops)
        counts.append(len(asked))
    assert counts[0] == counts[1]
