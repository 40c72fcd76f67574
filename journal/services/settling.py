"""What is computed again without anybody asking: fees that were valued in a minute that was still
open, another method or report currency, and books that a killed process left due."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from accounts.models import ExchangeAccount
from journal.models import AssetPrice, Book, Fill
from journal.services import rebuilding
from journal.sync import prices
from journal.sync.reader import Reader
from journal.sync.saving import books_of, make_due

MINUTE = timedelta(minutes=1)


def settle() -> None:
    """Ask for those that are over now, and build whatever is due, for whatever reason."""
    rebuilding.follow_currency()
    open_minutes = AssetPrice.objects.filter(venue=settings.VENUE, is_final=False)
    due = Book.objects.filter(account__venue=settings.VENUE, built__lt=F("version"))
    if not open_minutes.exists() and not due.exists():
        return
    with Reader(None, "prices", lambda note, seconds: None) as reader:
        for asset, minute in sorted(prices.settle(reader.read_public)):
            _touch(asset, minute)
        for account in ExchangeAccount.objects.here():
            rebuilding.rebuild_due(account, reader.read_public)


def _touch(asset: str, minute: datetime) -> None:
    fills = Fill.objects.filter(
        Q(fee_asset=asset) | Q(quote=asset), account__venue=settings.VENUE, time__gte=minute,
        time__lt=minute + MINUTE,
    ).select_related("account")  # fmt: skip
    for fill in fills:
        make_due(fill.account, set(books_of(fill)))
