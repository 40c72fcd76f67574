"""The day so far of a user: what the rules and the caps judge by."""

from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from journal.filters import TradeFilter, day_start
from journal.metrics.days import day_of
from journal.models import Trade
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope, counted
from journal.selectors.sums import sums
from trading.limits import Day
from trading.selectors.trades import waiting_entries

# How far back losses in a row are looked for, and how many trades a mean size is of.
MOST_IN_A_ROW = 50
MEAN_OF = 20


def day_so_far(user: User, account_id: UUID | None = None, now: datetime | None = None) -> Day:
    """Of all accounts, or of one."""
    now = timezone.now() if now is None else now
    chosen = preferences_of(user)
    today = day_of(now, chosen.tzinfo, time(chosen.day_start))
    trade_filter = TradeFilter(account=str(account_id or ""))
    scope = Scope(user, replace(trade_filter, from_day=today, to_day=today), chosen)
    trades = Trade.objects.visible_to(user)
    if account_id:
        trades = trades.filter(account=account_id)
    closed = counted(trades).order_by("-closed_at", "-pk")
    last = list(closed.values_list("net_money", "size_money", "closed_at")[:MOST_IN_A_ROW])
    sizes = [size for _, size, _ in last[:MEAN_OF] if size is not None]
    begun = day_start(today, chosen)
    return Day(
        now=now.astimezone(chosen.tzinfo),
        net=sums(scope).net,
        trades=trades.filter(kind=Trade.Kind.TRADE, opened_at__gte=begun).count(),
        waiting=waiting_entries(user, account_id),
        losses=_losses_in_a_row(last),
        closed_at=last[0][2] if last else None,
        was_loss=bool(last) and (last[0][0] or 0) < 0,
        average_size=sum(sizes, Decimal(0)) / len(sizes) if sizes else None,
    )


def _losses_in_a_row(last: list[Any]) -> int:
    count = 0
    for net, _, _ in last:
        if net is None or net >= 0:
            break
        count += 1
    return count
