"""What an owner says that a deposit had cost: for his tax report alone (money.md 3.8)."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import auditing
from journal.books.due import make_due
from journal.books.stated import deposit_of
from journal.models import Market, StatedCost, Transfer
from lib.cash import CASH, own_name

# Before the first block nobody bought a coin.
FIRST_COIN = datetime(2009, 1, 3, tzinfo=UTC)
MOST_COST = Decimal(10) ** 15


class BadStatement(ValueError):
    """What was expected, for the user."""


def may_state(row: Transfer) -> bool:
    """A coin that came in from outside; of money there is nothing to state."""
    is_deposit = row.kind == Transfer.Kind.DEPOSIT and row.amount > 0
    return is_deposit and own_name(row.asset) not in CASH


@transaction.atomic
def state(deposit: Transfer, *, cost: Decimal, bought_at: datetime, user: User) -> StatedCost:
    """In dollars, of the whole deposit. Raises BadStatement."""
    if not may_state(deposit):
        raise BadStatement(_("Expected a deposit of a coin: money costs what it is."))
    if not cost.is_finite() or not 0 <= cost < MOST_COST:
        raise BadStatement(_("Expected a cost in dollars, 0 or more."))
    if not FIRST_COIN <= bought_at <= deposit.time:
        raise BadStatement(_("Expected a day between January 2009 and the deposit."))
    known = stated_of(deposit)
    row = known or StatedCost(account=deposit.account)
    row.asset, row.external_id = own_name(deposit.asset), deposit.external_id
    row.amount, row.time = deposit.amount, deposit.time
    row.cost, row.bought_at = cost, bought_at
    row.save()
    _changed(deposit, user, "cost of a deposit stated")
    return row


@transaction.atomic
def take_back(deposit: Transfer, *, user: User) -> None:
    """Nothing happens where nothing was stated."""
    row = stated_of(deposit)
    if row is not None:
        row.delete()
        _changed(deposit, user, "stated cost of a deposit taken back")


def stated_of(deposit: Transfer) -> StatedCost | None:
    rows = StatedCost.objects.filter(
        account=deposit.account_id, asset=own_name(deposit.asset), amount=deposit.amount
    )
    return next((row for row in rows if deposit_of(row) == deposit), None)


def _changed(deposit: Transfer, user: User, action: str) -> None:
    make_due(deposit.account, {(Market.SPOT, own_name(deposit.asset))})
    auditing.record(
        actor=user, owner=deposit.account.user, action=action, subject=str(deposit.account_id)
    )
