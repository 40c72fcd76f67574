"""Whoever writes on several trades holds none that comes after one that it waits for."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from journal.models import Trade
from tests.journal.accounts import make_account, some_trades
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def is_free(pk: int) -> bool:
    try:
        with transaction.atomic():
            Trade.objects.select_for_update(nowait=True).get(pk=pk)
    except DatabaseError:
        return False
    return True


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else it is that of the transaction
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_several_are_locked_from_the_lowest_on(alice: User) -> None:
    some_trades(make_account(alice))
    first, *others = Trade.objects.order_by("pk").values_list("pk", flat=True)
    assert len(others) >= 2
    counts: list[int] = []

    def mark() -> None:
        try:
            counts.append(Trade.objects.filter(fill_count__gte=0).mark(protected_at=None))
        finally:
            connection.close()

    marker = threading.Thread(target=mark)
    with transaction.atomic():
        Trade.objects.filter(pk=first).locked()
        marker.start()
        until(waits)
        free = [is_free(pk) for pk in others]
    marker.join(20)
    assert free == [True] * len(others)
    assert counts == [1 + len(others)]
