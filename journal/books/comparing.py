"""Reconciliation of one account: its history from PostgreSQL, its balances as just reported."""

from collections.abc import Iterator
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.ledger.reconciling import Change, Compared, Pair, reconcile
from journal.models import (
    Balance,
    Difference,
    Fill,
    Income,
    ManualFill,
    Market,
    OpeningBalance,
    Transfer,
)

CHUNK = 5000


def compare(account: ExchangeAccount) -> list[Compared]:
    """Compare, and keep the result for the pages."""
    now = timezone.now()
    held = Balance.objects.filter(account=account, wallet__in=[Market.SPOT, Market.USDM])
    reported = {(row.wallet, row.asset): row.total for row in held}
    differences = reconcile(_changes(account), reported, _pairs(account))
    with transaction.atomic():
        ExchangeAccount.objects.select_for_update(no_key=True).get(pk=account.pk)  # one at a time
        if Difference.objects.filter(account=account, compared_at__gt=now).exists():
            return differences  # of what was read later
        Difference.objects.filter(account=account).delete()
        Difference.objects.bulk_create(
            Difference(
                account=account,
                wallet=row.wallet,
                asset=row.asset,
                calculated=row.calculated,
                reported=row.reported,
                cause=row.cause,
                detail=dict(row.detail),
                compared_at=now,
            )
            for row in differences
        )
    return differences


def _changes(account: ExchangeAccount) -> Iterator[Change]:
    yield from _of_fills(account)
    for opening in OpeningBalance.objects.filter(account=account):
        yield Change(opening.time, opening.wallet, opening.asset, opening.quantity)
    for row in Transfer.objects.filter(account=account, wallet=Market.SPOT).iterator(CHUNK):
        yield Change(row.time, Market.SPOT, row.asset, row.amount)
    for item in Income.objects.filter(account=account).iterator(CHUNK):
        yield Change(item.time, Market.USDM, item.asset, item.amount)


def _of_fills(account: ExchangeAccount) -> Iterator[Change]:
    """Spot fills move both coins and the fee's; futures fills are lines of the income."""
    fills = Fill.objects.filter(account=account, market=Market.SPOT).iterator(CHUNK)
    for fill in fills:
        yield from _moves(fill, fill.quote_quantity)
    for made in ManualFill.objects.filter(account=account, market=Market.SPOT):
        yield from _moves(made, made.price * made.quantity)


def _moves(fill: Fill | ManualFill, value: Decimal) -> Iterator[Change]:
    sign = 1 if fill.side == "BUY" else -1
    yield Change(fill.time, Market.SPOT, fill.base, sign * fill.quantity)
    yield Change(fill.time, Market.SPOT, fill.quote, -sign * value)
    if fill.fee and fill.fee_asset:
        yield Change(fill.time, Market.SPOT, fill.fee_asset, -fill.fee)


def _pairs(account: ExchangeAccount) -> list[Pair]:
    """Traded symbols with the range of the account's own prices: a missing trade lies in it."""
    rows = (
        Fill.objects.filter(account=account, market=Market.SPOT)
        .values("symbol", "base", "quote")
        .annotate(low=Min("price"), high=Max("price"))
        .order_by("symbol")
    )
    return [Pair(r["symbol"], r["base"], r["quote"], r["low"], r["high"]) for r in rows]
