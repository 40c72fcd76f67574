"""What is known of the demo's fills and trades is known of their copies: nothing is looked up or
worked out twice."""

from collections.abc import Sequence

from django.db import transaction

from journal.models import Fill, FillFlow, Trade
from journal.models.guests import accounts_first
from journal.stamps.trades import WRITTEN

# What is kept of a fill's flow.
KEPT = [
    "basis",
    "windows",
    "why",
    "window",
    "share",
    "bid",
    "ask",
    "day_high",
    "day_low",
    "slippage",
    "stamped_at",
    "stage",
    "refused",
    "again_at",
]


def take_over(due: Sequence[Fill]) -> tuple[list[Fill], list[Fill]]:
    """(fills of copies that have the flow of the demo's own now, those that are left). Only where
    nothing better is to come."""
    flows = {
        _same(flow.fill): flow
        for flow in FillFlow.objects.filter(
            stage=FillFlow.Stage.DONE,
            fill__account__in=accounts_first(),
            fill__trade_id__in=[fill.trade_id for fill in due],
        ).select_related("fill")
    }
    known = [fill for fill in due if fill.trade_id is not None and _same(fill) in flows]
    made = [
        FillFlow(fill=fill, **{name: getattr(flows[_same(fill)], name) for name in KEPT})
        for fill in known
    ]
    with transaction.atomic():
        FillFlow.objects.bulk_create(
            made, update_conflicts=True, unique_fields=["fill"], update_fields=KEPT
        )
        Fill.objects.filter(pk__in=[fill.pk for fill in known]).update(flow_due_at=None)
    taken = {fill.pk for fill in known}
    return known, [fill for fill in due if fill.pk not in taken]


def take_over_trades(due: Sequence[Trade]) -> tuple[list[Trade], list[Trade]]:
    """(closed trades of copies that have the stamps of the demo's own now, those that are left).
    Only where nothing more is to come."""
    closings = [trade.closed_at for trade in due if trade.closed_at is not None]
    settled = Trade.objects.filter(
        account__in=accounts_first(), closed_at__in=closings, stamp_due_at=None
    )
    stamped = {_same_trade(trade): trade for trade in settled}
    taken, left = [], []
    for trade in due:
        known = stamped.get(_same_trade(trade)) if trade.closed_at is not None else None
        if known is None:
            left.append(trade)
            continue
        for name in WRITTEN:
            setattr(trade, name, getattr(known, name))
        taken.append(trade)
    with transaction.atomic():
        Trade.objects.filter(pk__in=[trade.pk for trade in taken]).locked()
        Trade.objects.bulk_update(taken, WRITTEN)
    return taken, left


def _same_trade(trade: Trade) -> tuple[object, ...]:
    """The same of a trade and of its copy, and of no others."""
    return (
        trade.key.removeprefix(str(trade.account_id)),
        trade.opened_at,
        trade.closed_at,
        trade.fill_count,
        trade.quantity,
        trade.entry_price,
        trade.exit_price,
        trade.gross,
        trade.quote_rate,
        trade.by_hand,
    )


def _same(fill: Fill) -> tuple[object, ...]:
    """The same of a fill and of its copy, and of no others."""
    return (
        fill.market,
        fill.symbol,
        fill.trade_id,
        fill.side,
        fill.time,
        fill.price,
        fill.quantity,
    )
