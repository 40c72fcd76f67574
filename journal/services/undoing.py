"""A whole upload taken back: its rows go, and what they had taken the place of comes back."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import ExchangeAccount, User
from accounts.services import auditing
from accounts.services.credentials import has_key
from journal.books import comparing
from journal.books.due import books_of, books_of_income, make_due
from journal.files.making import NAMELESS
from journal.models import Fill, Income, ManualFill, Market, Transfer, Upload, Witness
from journal.sync import likeness
from journal.sync.doorkeeping import lock
from journal.sync.saving import save_fills, save_income, save_transfers
from journal.sync.witnesses import Kept, brought_back, keep, witness
from lib.cash import own_name

State = Upload.State
MODELS: tuple[type[Fill], type[Transfer], type[Income]] = (Fill, Transfer, Income)
PART = 2000


@transaction.atomic
def undo(upload: Upload, *, user: User | None) -> int:
    """Returns how many rows went."""
    account = upload.account
    lock(account)
    fills, transfers, incomes = (model.objects.filter(upload=upload) for model in MODELS)
    witnesses = Witness.objects.filter(
        Q(fill__upload=upload) | Q(transfer__upload=upload) | Q(income__upload=upload)
    ).exclude(upload=upload)
    rows = list(witnesses.select_related("upload"))
    names = ("market", "symbol", "base", "quote", "fee_asset")
    make_due(
        account,
        {book for row in fills.order_by().distinct(*names).only(*names) for book in books_of(row)},
    )
    assets = transfers.order_by().values_list("asset", flat=True).distinct()
    make_due(account, {(Market.SPOT, own_name(asset)) for asset in assets})
    kinds = ("kind", "asset", "symbol")
    lines = incomes.order_by().distinct(*kinds).only(*kinds)
    make_due(account, {book for line in lines for book in books_of_income(line)})
    _delete(Witness.objects.filter(upload=upload))
    count = sum(_delete(kind_rows) for kind_rows in (fills, transfers, incomes))
    _bring_back(account, rows)
    upload.state, upload.problem = State.UNDONE, {}
    upload.save(update_fields=["state", "problem", "changed_at"])
    auditing.record(
        actor=user,
        owner=account.user,
        action="file undone",
        subject=str(account.pk),
        why=f"{upload.name} ({upload.rows_taken})"[-120:],
    )
    if has_key(account):
        comparing.compare(account)
    return count


def _delete(rows: QuerySet[Any]) -> int:
    """A part at a time, each within the database's limit of time."""
    ids = list(rows.order_by().values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        rows.model._default_manager.filter(pk__in=ids[start : start + PART]).delete()
    return len(ids)


def _bring_back(account: ExchangeAccount, rows: list[Witness]) -> None:
    """File by file through the same door as before, then what was made by hand."""
    by_file: dict[int | None, list[Kept]] = defaultdict(list)
    uploads = {row.upload_id: row.upload for row in rows}
    for row in rows:
        by_file[row.upload_id].append(brought_back(row, account))
    for upload_id, kept in by_file.items():
        upload = uploads[upload_id]
        fills = [row for row in kept if isinstance(row, Fill)]
        fills.sort(key=lambda fill: (fill.time, fill.trade_id))
        for fill in fills:
            fill.trade_id = max(fill.trade_id, NAMELESS)
        save_fills(account, fills, upload)
        save_transfers(account, [row for row in kept if isinstance(row, Transfer)], upload)
        save_income(account, [row for row in kept if isinstance(row, Income)], upload)
    for made in by_file.get(None, []):
        if isinstance(made, ManualFill):
            _by_hand(account, made)


def _by_hand(account: ExchangeAccount, made: ManualFill) -> None:
    told = Fill.objects.filter(
        account=account,
        market=made.market,
        symbol=made.symbol,
        side=made.side,
        time__gte=likeness.second_of(made.time),
        time__lt=likeness.second_of(made.time) + likeness.SECOND,
    )
    winner = next((r for r in told if likeness.of_fill(r) == likeness.of_fill(made)), None)
    if winner is not None:
        keep([witness(made, winner, None)])
        return
    made.save(force_insert=True)
    make_due(account, set(books_of(made)))
