"""A whole upload taken back: its rows go, and what they had taken the place of comes back."""

from collections import defaultdict

from django.db import transaction
from django.db.models import Q

from accounts.models import AuditEntry, ExchangeAccount, User
from journal.files.making import NAMELESS
from journal.models import Fill, Income, ManualFill, Market, Transfer, Upload, Witness
from journal.services import comparing
from journal.sync import likeness
from journal.sync.doorkeeping import lock
from journal.sync.saving import (
    books_of,
    make_due,
    save_fills,
    save_income,
    save_transfers,
    touch,
)
from journal.sync.witnesses import Kept, brought_back, keep, witness

State = Upload.State


@transaction.atomic
def undo(upload: Upload, *, user: User | None) -> int:
    """Returns how many rows went."""
    account = upload.account
    lock(account)
    fills = list(Fill.objects.filter(upload=upload))
    transfers = list(Transfer.objects.filter(upload=upload))
    incomes = list(Income.objects.filter(upload=upload))
    Witness.objects.filter(upload=upload).delete()
    rows = list(Witness.objects.filter(
        Q(fill__upload=upload) | Q(transfer__upload=upload) | Q(income__upload=upload)
    ).select_related("upload"))  # fmt: skip
    make_due(account, {name for row in fills for name in books_of(row)})
    touch(account, {(Market.SPOT, row.asset) for row in transfers})
    touch(account, {(Market.USDM, row.symbol) for row in incomes})
    for model in (Fill, Transfer, Income):
        model.objects.filter(upload=upload).delete()
    _bring_back(account, rows)
    upload.state, upload.problem = State.UNDONE, {}
    upload.save(update_fields=["state", "problem", "changed_at"])
    AuditEntry.objects.create(
        actor=user, owner=account.user, action="file undone", subject=str(account.pk),
        why=f"{upload.name} ({upload.rows_taken})"[-120:],
    )  # fmt: skip
    comparing.compare(account)
    return len(fills) + len(transfers) + len(incomes)


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
        account=account, market=made.market, symbol=made.symbol, side=made.side,
        time__gte=likeness.second_of(made.time),
        time__lt=likeness.second_of(made.time) + likeness.SECOND,
    )  # fmt: skip
    winner = next((r for r in told if likeness.of_fill(r) == likeness.of_fill(made)), None)
    if winner is not None:
        keep([witness(made, winner, None)])
        return
    made.save(force_insert=True)
    make_due(account, set(books_of(made)))
