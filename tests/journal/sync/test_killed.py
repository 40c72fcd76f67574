"""Killed at any line, a sync that is run again ends where one that was never killed does."""

import gc
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import ExchangeAccount, User
from journal.models import Book, Difference, Fill, Income, Realized, Sync, Trade, Transfer
from journal.sync.running import synchronise
from tests.journal.sync.stage import DemoExchange, aim, connect, trade
from tests.lines import IS_THOROUGH, Killed, count_lines, kill, run_traced

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # what is killed closes nothing
]
KILLS = 25 if IS_THOROUGH else 12


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange(has_demo=False).running() as running:
        yield running


def state(account: ExchangeAccount) -> tuple[Any, ...]:
    """Without what fees in a coin are worth: the price of a minute that is not over still moves."""
    mine = {"account": account}
    return (
        sorted(Fill.objects.filter(**mine).values_list("market", "symbol", "trade_id")),
        sorted(Transfer.objects.filter(**mine).values_list("kind", "asset", "amount")),
        sorted(Income.objects.filter(**mine).values_list("kind", "external_id", "amount")),
        sorted(Trade.objects.filter(**mine).values_list("key", "quantity", "fill_count")),
        sorted(Realized.objects.filter(**mine).values_list("opened_by", "closed_by", "quantity")),
        sorted(Difference.objects.filter(**mine).values_list("wallet", "asset", "cause")),
    )


@pytest.mark.slow
def test_killed_at_random_lines_it_ends_the_same(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> None:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    for side in ("BUY", "BUY", "SELL"):
        for market in ("spot", "usdm"):
            order = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": "0.01"}
            trade(exchange, opened, market=market, **order)
    account = connect(alice, opened)
    lines = count_lines("/journal/", lambda: synchronise(str(account.pk)))
    expected = state(account)
    assert expected[5] == [(w, a, "") for w, a, _ in expected[5]]
    killed = 0
    for _ in range(KILLS):
        for model in (Fill, Transfer, Income, Book, Trade, Difference):
            model.objects.filter(account=account).delete()
        Sync.objects.filter(account=account).delete()
        account.refresh_from_db()
        _forget(account)
        try:
            run_traced(
                "/journal/", random.randrange(1, lines), kill, lambda: synchronise(str(account.pk))
            )
        except Killed:  # a later run may have fewer lines
            killed += 1
        _die()
        Sync.objects.filter(account=account).update(holder="", until=None)  # its lease is over
        assert synchronise(str(account.pk))
        assert state(account) == expected
    assert killed > KILLS // 2


def _die() -> None:
    """What a killed process holds is gone: what it had open here, not in a later test, and its
    connection, in whatever state its transaction was."""
    gc.collect()
    if connection.connection is not None:
        connection.connection.close()
    connection.connect()  # in no transaction


def _forget(account: ExchangeAccount) -> None:
    """As if it had never been read."""
    for name in ("Book", "Coverage", "OpenPosition", "LedgerProblem", "Balance", "Order"):
        model = __import__("journal.models", fromlist=[name])
        getattr(model, name).objects.filter(account=account).delete()
