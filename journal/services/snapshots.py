"""What each wallet held at the end of a UTC day."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from journal.models import Balance, DailyBalance, Market
from journal.services import valuing
from lib.cash import DOLLARS

log = structlog.get_logger(__name__)


def take() -> int:
    """Today's row of each balance, written over until the day is over. Returns how many."""
    rows = list(Balance.objects.filter(account__venue=settings.VENUE))
    coins = {row.asset for row in rows} - DOLLARS
    quotes = valuing.newest_prices({(Market.SPOT, f"{coin}USDT") for coin in coins})
    of_account: dict[Any, list[Balance]] = {}
    for row in rows:
        of_account.setdefault(row.account_id, []).append(row)
    count = 0
    for account_id, mine in of_account.items():
        try:
            count += _keep(mine, quotes)
        except (DataError, ArithmeticError) as error:  # a worth that no column holds
            log.warning("no snapshot", account=str(account_id), error=type(error).__name__)
    return count


@transaction.atomic
def _keep(rows: Sequence[Balance], quotes: dict[tuple[str, str], valuing.Quote]) -> int:
    day = timezone.now().date()
    DailyBalance.objects.bulk_create(
        [
            DailyBalance(
                account_id=row.account_id, day=day, wallet=row.wallet, asset=row.asset,
                quantity=row.total, value_usd=_worth(row, quotes),
            )
            for row in rows
        ],
        update_conflicts=True, unique_fields=["account", "day", "wallet", "asset"],
        update_fields=["quantity", "value_usd"],
    )  # fmt: skip
    return len(rows)


def _worth(row: Balance, quotes: dict[tuple[str, str], valuing.Quote]) -> Decimal | None:
    if row.asset in DOLLARS:
        return row.total
    found = quotes.get((Market.SPOT, f"{row.asset}USDT"))
    return None if found is None else row.total * found.price
