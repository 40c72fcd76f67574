"""Breaks of one's rules, and what each cost: the net of the trade that the order became part of."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from accounts.models import User
from journal.models import Fill, Trade
from lib.dates import to_ms
from lib.decimals import plain
from trading.models import RuleBreak
from trading.shapes import BreakRow, RuleCost

MOST = 500


def breaks_of(user: User, limit: int = MOST) -> list[BreakRow]:
    """Newest first; `cost` is the trade's net in the report currency, null while it is open or
    where the order was never filled."""
    rows = list(
        RuleBreak.objects.filter(user=user).select_related("intent").order_by("-at")[:limit]
    )
    trades = _trades(rows)
    return [_shown(row, trades.get(row.intent_id)) for row in rows]


def by_rule(rows: list[BreakRow]) -> list[RuleCost]:
    """What each rule's breaks came to."""
    nets: dict[str, list[Decimal]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row["rule"]] += 1
        if row["cost"] is not None:
            nets[row["rule"]].append(Decimal(row["cost"]))
    return [
        {
            "rule": rule,
            "breaks": count,
            "closed": len(nets[rule]),
            "net": plain(sum(nets[rule], Decimal(0))),
            "worst": plain(min(nets[rule])) if nets[rule] else None,
        }
        for rule, count in sorted(counts.items())
    ]


def _trades(rows: list[RuleBreak]) -> dict[Any, Trade]:
    """intent -> the trade of the first fill of its order."""
    orders = {
        (row.intent.account_id, row.intent.market, row.intent.order.get("order_id")): row.intent_id
        for row in rows
        if row.intent.order.get("order_id")
    }
    if not orders:
        return {}
    fills = Fill.objects.filter(
        account__in={account for account, _, _ in orders},
        order_id__in={number for _, _, number in orders},
    ).order_by("-time")
    intent_of_fill: dict[int, Any] = {}
    for fill in fills:
        intent_id = orders.get((fill.account_id, fill.market, fill.order_id))
        if intent_id is not None:
            intent_of_fill[fill.pk] = intent_id
    trades: dict[Any, Trade] = {}
    for trade in (
        Trade.objects.filter(fills__in=intent_of_fill).distinct().prefetch_related("fills")
    ):
        for fill in trade.fills.all():
            if fill.pk in intent_of_fill:
                trades.setdefault(intent_of_fill[fill.pk], trade)
    return trades


def _shown(row: RuleBreak, trade: Trade | None) -> BreakRow:
    is_closed = trade is not None and trade.closed_at is not None
    cost = trade.net_money if trade is not None and is_closed else None
    return {
        "id": str(row.pk),
        "rule": row.rule,
        "mode": row.mode,
        "at": to_ms(row.at),
        "detail": row.detail,
        "reason": row.reason,
        "intent": str(row.intent_id),
        "symbol": row.intent.symbol,
        "trade": None if trade is None else trade.pk,
        "cost": None if cost is None else plain(cost),
    }
