"""A whole upload taken back: its rows go, and what they had taken the place of comes back."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import ExchangeAccount, User
from accounts.services import auditing
from accounts.services.credentials import has_key
from journal.books import comparing
from journal.books.due import Touched, books_of, books_of_income, make_due
from journal.faults import fault
from journal.files.making import NAMELESS
from journal.models import Fill, Income, ManualFill, Market, Transfer, Upload, Witness
from journal.services import exports
from journal.sync import likeness
from journal.sync.doorkeeping import PATIENCE, Busy, busy_as_such, lock
from journal.sync.saving import save_fills, save_income, save_transfers
from journal.sync.witnesses import Kept, brought_back, keep, witness
from lib.cash import own_name

State = Upload.State
MODELS: tuple[type[Fill], type[Transfer], type[Income]] = (Fill, Transfer, Income)
PART = 2000
# where a file may stand that is undone
UNDOES = frozenset({State.TAKEN, State.UNDOING})


def undo(upload: Upload, *, user: User | None, patience: float = PATIENCE) -> int:
    """Returns how many rows went. Raises Busy, and nothing has gone, where another door is at the
    account's history for more than `patience` seconds."""
    account = upload.account
    try:
        with busy_as_such(), transaction.atomic():
            lock(account, patience)
            if not exports.is_still(upload, UNDOES):
                return 0  # another worker was faster
            count = _undo(upload, user)
    except Busy:
        exports.wait(upload, State.UNDOING, UNDOES)
        raise
    except Exception:
        problem = fault("failed").as_json()
        exports.move(upload, State.TAKEN, [State.UNDOING], problem=problem)
        raise
    if has_key(account):
        comparing.compare(account)
    return count


def _undo(upload: Upload, user: User | None) -> int:
    account, touched = upload.account, Touched()
    fills, transfers, incomes = (model.objects.filter(upload=upload) for model in MODELS)
    witnesses = Witness.objects.filter(
        Q(fill__upload=upload) | Q(transfer__upload=upload) | Q(income__upload=upload)
    ).exclude(upload=upload)
    rows = list(witnesses.select_related("upload"))
    names = ("market", "symbol", "base", "quote", "fee_asset")
    books = {
        book for row in fills.order_by().distinct(*names).only(*names) for book in books_of(row)
    }
    assets = transfers.order_by().values_list("asset", flat=True).distinct()
    books |= {(Market.SPOT, own_name(asset)) for asset in assets}
    kinds = ("kind", "asset", "symbol")
    lines = incomes.order_by().distinct(*kinds).only(*kinds)
    books |= {book for line in lines for book in books_of_income(line)}
    # books before rows, as a rebuild takes them: so neither waits for the other
    make_due(account, books)
    _delete(Witness.objects.filter(upload=upload))
    count = sum(_delete(kind_rows) for kind_rows in (fills, transfers, incomes))
    _bring_back(account, rows, touched)
    touched.make_due(account)
    upload.state, upload.problem = State.UNDONE, {}
    upload.save(update_fields=["state", "problem", "changed_at"])
    auditing.record(
        actor=user,
        owner=account.user,
        action="file undone",
        subject=str(account.pk),
        why=f"{upload.name} ({upload.rows_taken})"[-120:],
    )
    return count


def _delete(rows: QuerySet[Any]) -> int:
    """A part at a time, each within the database's limit of time."""
    ids = list(rows.order_by().values_list("pk", flat=True))
    for start in range(0, len(ids), PART):
        rows.model._default_manager.filter(pk__in=ids[start : start + PART]).delete()
    return len(ids)


def _bring_back(account: ExchangeAccount, rows: list[Witness], touched: Touched) -> None:
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
        transfers = [row for row in kept if isinstance(row, Transfer)]
        incomes = [row for row in kept if isinstance(row, Income)]
        save_fills(account, fills, upload, touched=touched)
        save_transfers(account, transfers, upload, touched=touched)
        save_income(account, incomes, upload, touched=touched)
    for made in by_file.get(None, []):
        if isinstance(made, ManualFill):
            _by_hand(account, made, touched)


def _by_hand(account: ExchangeAccount, made: ManualFill, touched: Touched) -> None:
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
    touched.add(set(books_of(made)))
