"""What each wallet held at the end of a UTC day."""

from django.conf import settings
from django.utils import timezone

from journal.models import Balance, DailyBalance
from journal.services.live_prices import dollars_now
from lib.cash import own_name


def take() -> int:
    """Today's row of each balance, written over until the day is over. Returns how many."""
    rows = list(Balance.objects.filter(account__venue=settings.VENUE))
    worths = dollars_now({own_name(row.asset) for row in rows})
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
