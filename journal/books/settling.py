"""What is computed again without anybody asking: fees that were valued in a minute that was still
open, another method or report currency, and books that a killed process left due."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import ExchangeAccount
from accounts.services.reader import Reader
from journal.books import prices, rebuilding
from journal.books.due import (
    books_of,
    books_of_income,
    books_of_transfer,
    due_books,
    make_due,
    since_of,
    since_of_rows,
)
from journal.models import Fill, Income, Transfer
from lib.parking import Parking
from market.binance.errors import MustWait, TryAgain
from market.jobs.guarding import be_impatient

log = structlog.get_logger(__name__)
parked = Parking()

MINUTE = timedelta(minutes=1)


def settle() -> None:
    """Ask for those that are over now, and build whatever is due, for whatever reason. One
    account's trouble stays with it."""
    rebuilding.follow_currency()
    open_minutes = prices.open_ones()
    accounts = ExchangeAccount.objects.here().filter(pk__in=due_books().values("account"))
    if not open_minutes and not accounts.exists():
        return
    with Reader(None, "prices", lambda note, seconds: None) as reader:
        for need in sorted(open_minutes):
            _alone(f"minute {need[0]} {need[1]}", partial(_settle_minute, need, reader))
        for account in accounts:
            work = partial(rebuilding.rebuild_due, account, reader.read_public)
            _alone(f"account {account.pk}", work)


def _alone(name: str, work: Callable[[], object]) -> None:
    """What is wrong with it stays with it, and waits longer each time; an exchange that answers
    nobody is everybody's trouble."""
    if parked.is_parked(name):
        return
    try:
        work()
    except (TryAgain, MustWait):
        raise
    except Exception:
        pause = parked.park(name)
        log.exception("not settled", what=name, again_in=pause)
    else:
        parked.clear(name)


def _settle_minute(need: prices.Need, reader: Reader) -> None:
    rows = prices.ask_again(need, reader.read_public)
    with transaction.atomic():  # final and touched, or neither
        be_impatient()
        _touch(*need)
        prices.keep(rows)


def _touch(asset: str, minute: datetime) -> None:
    """Books that the minute's price has valued: by a fee, a side, a transfer or the currency."""
    span = {"time__gte": minute, "time__lt": minute + MINUTE, "account__venue": settings.VENUE}
    is_currency = Q(account__user__report_currency=asset)
    fills = Fill.objects.filter(
        Q(fee_asset=asset) | Q(quote=asset) | Q(base=asset) | is_currency, **span
    )
    for fill in fills.select_related("account"):
        make_due(fill.account, books_of(fill), min(minute, since_of(fill.account, [fill])))
    for row in Transfer.objects.filter(Q(asset=asset) | is_currency, **span).select_related(
        "account"
    ):
        make_due(row.account, books_of_transfer(row), since_of_rows([row]))
    for line in Income.objects.filter(Q(asset=asset) | is_currency, **span).select_related(
        "account"
    ):
        make_due(line.account, books_of_income(line), since_of_rows([line]))
