"""What each wallet held at the end of a UTC day."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from journal.models import Balance, DailyBalance
from journal.services.live_prices import Quote, dollars_now
from lib.cash import own_name

log = structlog.get_logger(__name__)


def take() -> int:
    """Today's row of each balance, written over until the day is over. Returns how many."""
    rows = list(Balance.objects.filter(account__venue=settings.VENUE))
    worths = dollars_now({own_name(row.asset) for row in rows})
    of_account: dict[Any, list[Balance]] = {}
    for row in rows:
        of_account.setdefault(row.account_id, []).append(row)
    count = 0
    for account_id, mine in of_account.items():
        try:
            count += _keep(mine, worths)
        except (DataError, ArithmeticError) as error:  # a worth that no column holds
            log.warning("no snapshot", account=str(account_id), error=type(error).__name__)
    return count


@transaction.atomic
def _keep(rows: Sequence[Balance], worths: Mapping[str, Quote]) -> int:
    day = timezone.now().date()
    DailyBalance.objects.bulk_create(
        [
            DailyBalance(
                account_id=row.account_id,
                day=day,
                wallet=row.wallet,
                asset=row.asset,
                quantity=row.total,
                value_usd=row.total * worth.price
                if (worth := worths.get(own_name(row.asset)))
                else None,
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["account", "day", "wallet", "asset"],
        update_fields=["quantity", "value_usd"],
    )
    return len(rows)
