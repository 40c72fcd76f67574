"""What an owner asks of his history: read again, nothing older, a symbol more. Each wish holds the
row's lock, so that two at once lose none."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import transaction

from accounts.models import ExchangeAccount
from journal.models import Coverage, Sync


def read_again(account: ExchangeAccount) -> None:
    with _wish(account):
        pass


def nothing_older(account: ExchangeAccount, since: date | None) -> None:
    """None: as far back as the exchange tells."""
    with _wish(account) as row:
        row.since = since
        Coverage.objects.filter(account=account).update(is_complete=False)


def read_symbol(account: ExchangeAccount, symbol: str) -> None:
    """A spot symbol that was not found by itself."""
    with _wish(account) as row:
        row.symbols = sorted({*row.symbols, symbol})


@contextmanager
def _wish(account: ExchangeAccount) -> Iterator[Sync]:
    Sync.objects.get_or_create(account=account)
    with transaction.atomic():
        row = Sync.objects.select_for_update().get(account=account)
        yield row
        row.is_due, row.whole_at = True, None
        if row.state != Sync.State.RUNNING:
            row.state = Sync.State.WAITING
        row.save(update_fields=["since", "symbols", "is_due", "whole_at", "state"])
