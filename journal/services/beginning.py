"""Taking a difference of the balances as what was there before the history (money.md 4.3)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount, User
from accounts.services import auditing
from journal.books import comparing
from journal.books.due import make_due
from journal.models import Difference, Fill, Income, Market, OpeningBalance, Transfer
from lib.cash import own_name


class BadOpening(ValueError):
    """What was expected, for the user."""


@transaction.atomic
def accept(*, account: ExchangeAccount, user: User, wallet: str, asset: str) -> OpeningBalance:
    """What the exchange reports beyond the history was there when it began: at the first row of the
    source that begins last. Raises BadOpening."""
    row = Difference.objects.filter(account=account, wallet=wallet, asset=asset).first()
    if row is None or row.difference <= 0:
        raise BadOpening(_("Expected a balance of which more is there than the history tells."))
    opening = OpeningBalance.objects.create(
        account=account,
        wallet=wallet,
        asset=own_name(asset),
        quantity=row.difference,
        time=_begins(account),
        why=OpeningBalance.Why.DIFFERENCE,
    )
    _changed(account, user, opening.asset, "difference taken as opening")
    return opening


@transaction.atomic
def take_back(opening: OpeningBalance, *, user: User) -> None:
    account, asset = opening.account, opening.asset
    opening.delete()
    _changed(account, user, asset, "opening taken back")


def _begins(account: ExchangeAccount) -> datetime:
    sources = (
        Fill.objects.filter(account=account, market=Market.SPOT),
        Fill.objects.filter(account=account, market=Market.USDM),
        Transfer.objects.filter(account=account),
        Income.objects.filter(account=account),
    )
    firsts = [rows.aggregate(first=Min("time"))["first"] for rows in sources]
    return max((first for first in firsts if first is not None), default=timezone.now())


def _changed(account: ExchangeAccount, user: User, asset: str, action: str) -> None:
    make_due(account, {(Market.SPOT, asset)})
    comparing.compare(account)
    auditing.record(actor=user, owner=account.user, action=action, subject=str(account.pk))
