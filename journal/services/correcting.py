"""Fills made by hand: for what the exchange does not tell of any more. Apart from its own data."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, ExchangeAccount, User
from journal.books.due import books_of, make_due
from journal.models import ManualFill, Market
from journal.services import comparing
from market.models import Listing

# Binance's first day
OPENED = datetime(2017, 7, 14, tzinfo=UTC)


class BadCorrection(ValueError):
    """What was expected, for the user."""


@transaction.atomic
def add(
    *, account: ExchangeAccount, user: User, symbol: str, side: str, price: Decimal,
    quantity: Decimal, fee: Decimal | None, fee_asset: str, time: datetime, why: str,
) -> ManualFill:  # fmt: skip
    """A spot fill. Raises BadCorrection."""
    listing = Listing.objects.filter(
        venue=account.venue, market=Market.SPOT, symbol=symbol.strip().upper()
    ).first()
    if listing is None:
        raise BadCorrection(_("Binance lists no spot symbol of that name."))
    if not OPENED <= time <= timezone.now():
        raise BadCorrection(_("Expected a time in the past, after Binance opened."))
    if fee and not fee_asset:
        raise BadCorrection(_("Expected the asset that the fee was paid in."))
    row = ManualFill.objects.create(
        account=account, market=Market.SPOT, symbol=listing.symbol, base=listing.base_asset,
        quote=listing.quote_asset, side=side, price=price, quantity=quantity, fee=fee or 0,
        fee_asset=fee_asset.strip().upper(), time=time, why=why,
    )  # fmt: skip
    _changed(row, user, "fill added by hand")
    return row


@transaction.atomic
def remove(row: ManualFill, *, user: User) -> None:
    names = set(books_of(row))
    account = row.account
    row.delete()
    make_due(account, names)
    comparing.compare(account)
    AuditEntry.objects.create(
        actor=user, owner=account.user, action="fill by hand removed", subject=str(account.pk)
    )


def _changed(row: ManualFill, user: User, action: str) -> None:
    make_due(row.account, set(books_of(row)))
    comparing.compare(row.account)
    AuditEntry.objects.create(
        actor=user, owner=row.account.user, action=action, subject=str(row.account_id)
    )
