"""Contracts that were held before the history begins: what the exchange reports less all fills
(money.md 4.2). Kept by whoever has just read both, so that a fill on its way never looks like one.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Case, DecimalField, F, Sum, When

from accounts.models import ExchangeAccount
from journal.books.due import make_due
from journal.models import Fill, FuturesPosition, Income, Market, OpeningPosition

log = structlog.get_logger(__name__)

# A fill so near to the report may be in it or not.
UNSURE = timedelta(seconds=5)
ZERO = Decimal(0)
Contract = tuple[str, str]


@transaction.atomic
def keep_positions(account: ExchangeAccount, reported_at: datetime) -> int:
    """By the positions that are kept as of `reported_at`. What was traded around that moment stays
    as it was. Returns how many openings have changed."""
    mine = Fill.objects.filter(account=account, market=Market.USDM)
    signed = Case(
        When(side="BUY", then=F("quantity")),
        default=-1 * F("quantity"),
        output_field=DecimalField(max_digits=60, decimal_places=12),
    )
    sums = (
        mine.filter(time__lte=reported_at)
        .order_by()
        .values("symbol", "position_side")
        .annotate(held=Sum(signed))
    )
    held = {(row["symbol"], row["position_side"]): row["held"] or ZERO for row in sums}
    positions = {
        (row.symbol, row.position_side): row
        for row in FuturesPosition.objects.filter(account=account)
    }
    unsure = set(
        mine.filter(time__gte=reported_at - UNSURE)
        .order_by()
        .values_list("symbol", "position_side")
        .distinct()
    )
    ended = set(
        Income.objects.filter(account=account, kind__startswith="DELIVERED").values_list(
            "symbol", flat=True
        )
    )
    known = {
        (row.symbol, row.position_side): row
        for row in OpeningPosition.objects.filter(account=account)
    }
    changed = 0
    for contract in sorted({*held, *positions, *known} - unsure):
        if contract[0] in ended:
            continue
        changed += _keep(account, contract, held.get(contract, ZERO), positions, known)
    return changed


def _keep(
    account: ExchangeAccount,
    contract: Contract,
    held: Decimal,
    positions: dict[Contract, FuturesPosition],
    known: dict[Contract, OpeningPosition],
) -> int:
    position = positions.get(contract)
    reported = position.quantity if position else ZERO
    opening = reported - held
    before = known.get(contract)
    if opening == (before.quantity if before else ZERO):
        return 0
    symbol, side = contract
    OpeningPosition.objects.filter(account=account, symbol=symbol, position_side=side).delete()
    if opening:
        OpeningPosition.objects.create(
            account=account,
            symbol=symbol,
            position_side=side,
            quantity=opening,
            reported=reported,
            reported_entry=position.entry_price if position else None,
        )
    make_due(account, {(Market.USDM, symbol)})
    log.info("opening position", account=str(account.pk), symbol=symbol, side=side)
    return 1
