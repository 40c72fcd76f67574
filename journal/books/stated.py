"""What owners stated that their deposits had cost, by the names that the ledger has for them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import Q

from journal.ledger.records import Id
from journal.ledger.tax import Stated
from journal.models import StatedCost, Transfer
from lib.cash import own_name

# How far two doors tell one deposit apart at most.
APART = timedelta(minutes=15)
# (coin, id) as the ledger has them
Name = tuple[str, Id]


def name_of(row: Transfer) -> Name:
    return own_name(row.asset), f"{row.kind}-{row.external_id}"


def stated_costs(account_id: Any, names: Collection[str]) -> dict[Name, Stated]:
    """Of the deposits of these coins."""
    statements = StatedCost.objects.filter(account_id=account_id, asset__in=names).order_by("pk")
    costs: dict[Name, Stated] = {}
    for row in statements:
        deposit = deposit_of(row)
        if deposit is not None:
            costs[name_of(deposit)] = Stated(row.cost, row.bought_at)
    return costs


def deposit_of(row: StatedCost) -> Transfer | None:
    """The deposit that it is of: by its id, else the nearest of that amount; None while no door
    tells it."""
    deposits = Transfer.objects.filter(
        account_id=row.account_id, kind=Transfer.Kind.DEPOSIT, amount=row.amount
    )
    near: list[Transfer] = [
        deposit
        for deposit in deposits.filter(
            Q(external_id=row.external_id)
            | Q(time__gte=row.time - APART, time__lte=row.time + APART)
        )
        if own_name(deposit.asset) == row.asset
    ]
    near.sort(key=lambda d: (d.external_id != row.external_id, abs(d.time - row.time)))
    return near[0] if near else None
