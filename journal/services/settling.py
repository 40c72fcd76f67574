"""What is computed again without anybody asking: fees that were valued in a minute that was still
open, another method or report currency, and books that a killed process left due."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.models import ExchangeAccount
from journal.models import Book, Fill, Market, Transfer
from journal.services import rebuilding
from journal.books import prices
from journal.sync.reader import Reader
from journal.sync.saving import books_of, make_due

MINUTE = timedelta(minutes=1)


def settle() -> None:
    """Ask for those that are over now, and build whatever is due, for whatever reason."""
    rebuilding.follow_currency()
    open_minutes = prices.open_ones()
    due = Book.objects.filter(account__venue=settings.VENUE, built__lt=F("version"))
    if not open_minutes and not due.exists():
        return
    with Reader(None, "prices", lambda note, seconds: None) as reader:
        for asset, minute in sorted(open_minutes):
            rows = prices.ask_again((asset, minute), reader.read_public)
            with transaction.atomic():  # final and touched, or neither
                _touch(asset, minute)
                prices.keep(rows)
        for account in ExchangeAccount.objects.here():
            rebuilding.rebuild_due(account, reader.read_public)


def _touch(asset: str, minute: datetime) -> None:
    """Books that the minute's price has valued: by a fee, a quote, a transfer or the currency."""
    span = {"time__gte": minute, "time__lt": minute + MINUTE}
    fills = Fill.objects.filter(
        Q(fee_asset=asset) | Q(quote=asset) | Q(account__user__report_currency=asset),
        account__venue=settings.VENUE, **span,
    ).select_related("account")  # fmt: skip
    for fill in fills:
        make_due(fill.account, set(books_of(fill)))
    moved = Transfer.objects.filter(asset=asset, account__venue=settings.VENUE, **span)
    for row in moved.select_related("account"):
        make_due(row.account, {(Market.SPOT, asset)})
