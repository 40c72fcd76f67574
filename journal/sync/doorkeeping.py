"""What stands at every door: one writer of an account at a time, and the validator. A row that
cannot be is left out alone, and its reason is kept for the account's owner."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.checking import MOVED, NUMBER, check_amount, check_fill, check_time, check_words, fits
from journal.faults import Bad
from journal.files.making import FILE
from journal.models import Fill, Income, Rejected, Transfer
from market.jobs.guarding import is_busy

log = structlog.get_logger(__name__)
Row = TypeVar("Row", Fill, Transfer, Income)
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
# How long a worker waits for another door, and a page, in seconds. A large file may be at it for
# minutes.
PATIENCE, PAGE_PATIENCE = 20.0, 2.0
# between two looks whether the other one is done
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25


class Busy(Bad):
    """Another door is at the account's history, for longer than this one can wait."""

    def __init__(self) -> None:
        super().__init__("busy")


def lock(account: ExchangeAccount, patience: float = PATIENCE) -> None:
    """Until the transaction ends: two doors that look for one row at once would both miss it.

    Waits `patience` seconds at most. Raises Busy; the transaction is as it was.
    """
    until, pause = time.monotonic() + patience, FIRST_PAUSE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(TRY_LOCK, [f"history of {account.pk}"])
            if cursor.fetchone() == (True,):
                return
            left = until - time.monotonic()
            if left <= 0:
                raise Busy
            time.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)


@contextmanager
def busy_as_such() -> Iterator[None]:
    """Around a transaction: where PostgreSQL ended it for another one's sake (a deadlock, a lock
    that did not come), it can be tried again. Raises Busy then."""
    try:
        yield
    except OperationalError as error:
        if is_busy(error):
            log.warning("given way", error=type(error.__cause__).__name__)
            raise Busy from error
        raise


def wait_for_turn(account: ExchangeAccount, patience: float = PATIENCE) -> None:
    """Before work that is for nothing where another door is at the history. Raises Busy."""
    with transaction.atomic():
        lock(account, patience)


def passed(
    account: ExchangeAccount, rows: Sequence[Row], check: Callable[[Row], None]
) -> list[Row]:
    """Those that may be kept, rounded to their columns."""
    good, bad = [], []
    for row in rows:
        try:
            check(row)
            good.append(row)
        except Bad as error:
            bad.append(
                Rejected(
                    account=account,
                    source=row.source,
                    kind=type(row).__name__.lower(),
                    name=_name(row),
                    fault=error.fault.as_json(),
                    time=None if error.fault.code.startswith("time") else row.time,
                )
            )
    if bad:
        Rejected.objects.bulk_create(bad, ignore_conflicts=True, batch_size=1000)
        log.warning("rows left out", account=str(account.pk), rows=len(bad))
    return good


def check_fill_row(row: Fill) -> None:
    check_fill(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        side=row.side,
        position_side=row.position_side,
        price=row.price,
        quantity=row.quantity,
        value=row.quote_quantity,
        fee=row.fee,
        fee_asset=row.fee_asset,
        realized=row.realized,
        trade_id=row.trade_id,
        order_id=row.order_id,
    )
    check_time(row.time, timezone.now())
    row.price, row.quantity = fits(row.price, NUMBER), fits(row.quantity, NUMBER)


def check_transfer_row(row: Transfer) -> None:
    row.info = "".join(sign for sign in row.info if sign.isprintable())
    check_amount(
        asset=row.asset,
        amount=row.amount,
        column=MOVED,
        text=row.wallet,
        may_be_zero=not row.external_id.startswith(FILE),
    )
    fits(row.fee, MOVED)
    check_words(text=row.external_id)
    check_time(row.time, timezone.now())
    row.amount = fits(row.amount, MOVED)


def check_income_row(row: Income) -> None:
    check_amount(
        asset=row.asset,
        amount=row.amount,
        column=NUMBER,
        text=row.kind + row.external_id,
        may_be_zero=True,
    )
    check_words(symbol=row.symbol)
    check_time(row.time, timezone.now())
    row.amount = fits(row.amount, NUMBER)


def _name(row: Fill | Transfer | Income) -> str:
    """What tells the row from others, printable and as long as fits."""
    if isinstance(row, Fill):
        text = f"{row.market} {row.symbol} {row.trade_id}"
    else:
        text = f"{row.kind} {row.external_id} {row.asset}"
    return "".join(sign if sign.isprintable() else "�" for sign in text)[:200]
