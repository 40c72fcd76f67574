"""What is known of the demo's fills is known of their copies: nothing is looked up twice."""

from collections.abc import Sequence

from django.db import transaction

from journal.models import Fill, FillFlow
from journal.models.guests import accounts_first

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
