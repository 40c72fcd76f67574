"""Another door that is at an account's history, in a thread with a connection of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from accounts.models import ExchangeAccount
from journal.sync.doorkeeping import lock


@contextmanager
def at_it(work: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """A transaction that has done `work` and lasts to the end of the block, or until the given
    function is called."""
    is_at_it, over = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                is_at_it.set()
                over.wait(60)
        finally:
            connection.close()

    def end() -> None:
        over.set()
        thread.join(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_at_it.wait(20)
    try:
        yield end
    finally:
        end()


@contextmanager
def another_door(account: ExchangeAccount) -> Iterator[Callable[[], None]]:
    with at_it(lambda: lock(account)) as end:
        yield end
