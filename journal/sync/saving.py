"""Rows that the exchange sent -> PostgreSQL, each once, with the books that they make due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import ExchangeAccount
from journal.books.due import (
    BookName,
    Touched,
    books_of,
    books_of_income,
    books_of_transfer,
    make_due,
    since_of,
    since_of_rows,
)
from journal.models import (
    Balance,
    Fill,
    FuturesPosition,
    Income,
    Transfer,
    Upload,
)
from journal.sync import merging
from journal.sync.doorkeeping import (
    check_fill_row,
    check_income_row,
    check_transfer_row,
    lock,
    passed,
)
from journal.sync.witnesses import Kept


@transaction.atomic
def save_fills(
    account: ExchangeAccount,
    rows: Sequence[Fill],
    upload: Upload | None = None,
    gone: list[Kept] | None = None,
    touched: Touched | None = None,
) -> list[Fill]:
    """Returns those that were not known; what cannot be is left out and named (`Rejected`). `gone`
    is told the rows, as they were, that these took the place of; `touched` the books, which are
    otherwise made due here. Raises Busy where another door is at the history."""
    if not rows:
        return []
    lock(account)
    good = passed(account, rows, check_fill_row)
    for row in good:
        row.upload = upload
    lost: list[Kept] = []
    fresh = merging.merge_fills(account, good, upload, lost)
    names = {name for row in fresh for name in books_of(row)}
    _touch(account, names, since_of(account, [*fresh, *lost]), touched)
    if gone is not None:
        gone += lost
    return fresh


@transaction.atomic
def save_transfers(
    account: ExchangeAccount,
    rows: Sequence[Transfer],
    upload: Upload | None = None,
    gone: list[Kept] | None = None,
    touched: Touched | None = None,
) -> int:
    if not rows:
        return 0
    lock(account)
    good = passed(account, rows, check_transfer_row)
    for row in good:
        row.upload = upload
    fresh, lost = merging.merge_transfers(account, good, upload)
    changed = [*fresh, *lost]
    names = {name for row in changed for name in books_of_transfer(row)}
    _touch(account, names, since_of_rows(changed), touched)
    if gone is not None:
        gone += lost
    return len(fresh)


@transaction.atomic
def remove_transfers(account: ExchangeAccount, kind: str, ids: Sequence[str]) -> None:
    """What the exchange has taken back. Raises Busy."""
    if not ids:
        return
    lock(account)
    transfers = Transfer.objects.filter(account=account, kind=kind, external_id__in=ids)
    make_due(account, {name for row in transfers for name in books_of_transfer(row)})
    transfers.delete()


@transaction.atomic
def save_income(
    account: ExchangeAccount,
    rows: Sequence[Income],
    upload: Upload | None = None,
    gone: list[Kept] | None = None,
    touched: Touched | None = None,
) -> int:
    if not rows:
        return 0
    lock(account)
    good = passed(account, rows, check_income_row)
    for row in good:
        row.upload = upload
    fresh, lost = merging.merge_income(account, good, upload)
    if gone is not None:
        gone += lost
    names = {name for row in fresh for name in books_of_income(row)}
    _touch(account, names, since_of_rows([*fresh, *lost]), touched)
    return len(fresh)


def _touch(
    account: ExchangeAccount, names: set[BookName], since: datetime, touched: Touched | None
) -> None:
    if touched is None:
        make_due(account, names, since)
    else:
        touched.add(names, since)


@transaction.atomic
def save_balances(
    account: ExchangeAccount,
    wallet: str,
    held: dict[str, tuple[Any, Any]],
    now: datetime,
    *,
    is_whole: bool,
) -> None:
    """`held` is asset -> (free, locked); the whole wallet, or only what has changed. An older
    report never undoes a newer one."""
    for asset, (free, locked) in sorted(held.items()):
        row, is_new = Balance.objects.select_for_update().get_or_create(
            account=account,
            wallet=wallet,
            asset=asset,
            defaults={"free": free, "locked": locked, "updated_at": now},
        )
        if not is_new and row.updated_at <= now:
            row.free, row.locked, row.updated_at = free, locked, now
            row.save()
    if is_whole:
        gone = Balance.objects.filter(account=account, wallet=wallet, updated_at__lte=now)
        gone.exclude(asset__in=list(held)).delete()


@transaction.atomic
def save_positions(
    account: ExchangeAccount, rows: Sequence[FuturesPosition], now: datetime
) -> None:
    """All that were open at `now`: what is not among them is closed, unless it is newer."""
    FuturesPosition.objects.filter(account=account, updated_at__lte=now).delete()
    FuturesPosition.objects.bulk_create(
        [row for row in rows if row.quantity], ignore_conflicts=True
    )
