"""What is computed again without anybody asking: fees that were valued in a minute that was still
open, another method or report currency, and books that a killed process left due."""

from datetime import datetime, timedelta

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
from market.binance.errors import ExchangeError

log = structlog.get_logger(__name__)

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
        for asset, minute in sorted(open_minutes):
            rows = prices.ask_again((asset, minute), reader.read_public)
            with transaction.atomic():  # final and touched, or neither
                _touch(asset, minute)
                prices.keep(rows)
        for account in accounts:
            try:
                rebuilding.rebuild_due(account, reader.read_public)
            except ExchangeError:
                raise
            except Exception:
                log.exception("books not built", account=str(account.pk))


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
