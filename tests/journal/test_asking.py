"""What an owner asks of his history."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import User
from journal.models import Coverage, Sync
from journal.services import asking
from tests.journal.accounts import make_account


def test_two_symbols_asked_for_at_once_are_both_read(transactional_db: None, alice: User) -> None:
    account = make_account(alice)
    symbols = [f"A{number}USDT" for number in range(6)]
    barrier = Barrier(len(symbols))

    def ask(symbol: str) -> None:
        barrier.wait(20)
        try:
            asking.read_symbol(account, symbol)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(symbols)) as pool:
        list(pool.map(ask, symbols))
    row = Sync.objects.get()
    assert (row.symbols, row.is_due) == (symbols, True)


@pytest.mark.django_db
def test_a_wish_makes_it_due_and_leaves_a_reading_that_runs_running(alice: User) -> None:
    account = make_account(alice)
    asking.read_again(account)
    assert (Sync.objects.get().state, Sync.objects.get().is_due) == ("waiting", True)
    Sync.objects.update(state="running", is_due=False)
    Coverage.objects.create(account=account, kind="fills", market="spot", is_complete=True)
    asking.nothing_older(account, date(2024, 3, 2))
    row = Sync.objects.get()
    assert (row.state, row.is_due, row.since) == ("running", True, date(2024, 3, 2))
    assert not Coverage.objects.get().is_complete
