"""Fills made by hand: for what the exchange does not tell of any more. Apart from its own data."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount, User
from accounts.services import auditing
from journal.books import comparing
from journal.books.due import books_of, make_due
from journal.checking import NUMBER, check_fill, check_time, check_words, fits
from journal.faults import Bad
from journal.models import Fill, ManualFill, Market
from journal.sync import likeness
from journal.sync.doorkeeping import PAGE_PATIENCE, lock
from market.models import Listing


class BadCorrection(ValueError):
    """What was expected, for the user."""


@transaction.atomic
def add(
    *,
    account: ExchangeAccount,
    user: User,
    symbol: str,
    side: str,
    price: Decimal,
    quantity: Decimal,
    fee: Decimal | None,
    fee_asset: str,
    time: datetime,
    why: str,
) -> ManualFill:
    """A spot fill. Raises BadCorrection."""
    row = ManualFill(
        account=account,
        market=Market.SPOT,
        symbol=symbol.strip().upper(),
        side=side,
        price=price,
        quantity=quantity,
        fee=fee or Decimal(0),
        fee_asset=fee_asset.strip().upper(),
        time=time,
        why=why,
    )
    listing = Listing.objects.filter(
        venue=account.venue, market=Market.SPOT, symbol=row.symbol.replace("\0", "")
    ).first()
    if listing is None:
        raise BadCorrection(_("Binance lists no spot symbol of that name."))
    row.base, row.quote = listing.base_asset, listing.quote_asset
    try:
        _check(row)
    except Bad as error:
        raise BadCorrection(str(error)) from error
    row.save()
    _changed(row, user, "fill added by hand")
    return row


def _check(row: ManualFill) -> None:
    """By the validator of every door; what the exchange tells is not needed by hand."""
    check_fill(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        side=row.side,
        position_side="BOTH",
        price=row.price,
        quantity=row.quantity,
        value=None,
        fee=row.fee,
        fee_asset=row.fee_asset,
    )
    check_time(row.time, timezone.now())
    check_words(text=row.why)
    if row.fee and not row.fee_asset:
        raise Bad("fee_coin", was=row.fee)
    row.price, row.quantity = fits(row.price, NUMBER), fits(row.quantity, NUMBER)
    row.fee = fits(row.fee, NUMBER)
    lock(row.account, PAGE_PATIENCE)
    second = likeness.second_of(row.time)
    told = Fill.objects.filter(
        account=row.account,
        market=row.market,
        symbol=row.symbol,
        side=row.side,
        time__gte=second,
        time__lt=second + likeness.SECOND,
    )
    if any(likeness.of_fill(fill) == likeness.of_fill(row) for fill in told):
        raise Bad("known")


@transaction.atomic
def remove(row: ManualFill, *, user: User) -> None:
    """Raises Busy."""
    names = set(books_of(row))
    account = row.account
    lock(account, PAGE_PATIENCE)
    row.delete()
    make_due(account, names)
    comparing.compare(account)
    auditing.record(
        actor=user, owner=account.user, action="fill by hand removed", subject=str(account.pk)
    )


def _changed(row: ManualFill, user: User, action: str) -> None:
    make_due(row.account, set(books_of(row)))
    comparing.compare(row.account)
    auditing.record(actor=user, owner=row.account.user, action=action, subject=str(row.account_id))
