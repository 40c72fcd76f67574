"""Orders that the exchange told -> PostgreSQL: of each the newest state, whatever comes late."""

from collections.abc import Sequence

from django.db import transaction

from journal.books.protecting import mark
from journal.models import ConditionalOrder, Order, OrderList

# How far a conditional order is on its way; it never goes back. An unknown state is on the way.
STEPS = {
    "NEW": 0,
    "TRIGGERING": 1,
    "TRIGGERED": 2,
    "FINISHED": 3,
    "CANCELED": 3,
    "EXPIRED": 3,
    "REJECTED": 3,
}
ON_THE_WAY = 1


def save_orders(rows: Sequence[Order]) -> bool:
    """The newest state of each; what is older than what we have changes nothing but the time at
    which the order was made: no event of it is earlier, and not every one tells it. True where
    trades have to be looked at again for their stops."""
    newest: dict[tuple[str, str, int], Order] = {}
    for row in rows:
        key = (row.market, row.symbol, row.order_id)
        known = newest.get(key)
        if known is None or known.changed_at <= row.changed_at:
            newest[key] = row
        if known is not None:
            newest[key].time = min(known.time, row.time)
    names = [f.name for f in Order._meta.concrete_fields if f.name not in {"id", "time"}]
    fresh, changed = _newer_than_known(list(newest.values()))
    for row in changed:
        # in one statement: another writer may have been faster with something newer
        Order.objects.filter(
            account_id=row.account_id,
            market=row.market,
            symbol=row.symbol,
            order_id=row.order_id,
            changed_at__lte=row.changed_at,
            executed__lte=row.executed,
        ).update(**{name: getattr(row, name) for name in names})
    return mark([*fresh, *changed])


def _newer_than_known(rows: Sequence[Order]) -> tuple[list[Order], list[Order]]:
    """Those that were not known, which are kept, and those that are newer than what is."""
    if not rows:
        return [], []
    orders = Order.objects.filter(
        account_id=rows[0].account_id, order_id__in=[row.order_id for row in rows]
    )
    known = {(o.market, o.symbol, o.order_id): o for o in orders}
    fresh, changed = [], []
    for row in rows:
        old = known.get((row.market, row.symbol, row.order_id))
        if old is not None and row.time < old.time:
            Order.objects.filter(pk=old.pk, time__gt=row.time).update(time=row.time)
        if old is None:
            fresh.append(row)
        elif row.changed_at > old.changed_at or (
            row.changed_at == old.changed_at and row.executed > old.executed
        ):
            changed.append(row)
    Order.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
    return fresh, changed


def save_conditionals(rows: Sequence[ConditionalOrder]) -> list[ConditionalOrder]:
    """Returns those that changed something."""
    names = [f.name for f in ConditionalOrder._meta.concrete_fields if f.name not in {"id", "time"}]
    changed: list[ConditionalOrder] = []
    retimed: list[ConditionalOrder] = []
    for row in rows:
        with transaction.atomic():
            known, is_new = ConditionalOrder.objects.select_for_update().get_or_create(
                account_id=row.account_id,
                market=row.market,
                algo_id=row.algo_id,
                defaults={name: getattr(row, name) for name in [*names, "time"]},
            )
            if is_new:
                changed.append(known)
                continue
            if row.time < known.time:  # an event does not tell when it was made
                known.time = row.time
                known.save(update_fields=["time"])
                retimed.append(known)
            if not _is_further(row, known):
                continue
            for name in names:
                setattr(known, name, getattr(row, name))
            known.save()
            changed.append(known)
    mark([*changed, *retimed])
    return changed


def _is_further(row: ConditionalOrder, known: ConditionalOrder) -> bool:
    after = STEPS.get(row.status, ON_THE_WAY), row.changed_at, row.executed
    before = STEPS.get(known.status, ON_THE_WAY), known.changed_at, known.executed
    return after > before


def save_lists(rows: Sequence[OrderList]) -> None:
    for row in rows:
        with transaction.atomic():
            known, is_new = OrderList.objects.select_for_update().get_or_create(
                account_id=row.account_id,
                list_id=row.list_id,
                defaults={
                    "symbol": row.symbol,
                    "client_id": row.client_id,
                    "contingency": row.contingency,
                    "status": row.status,
                    "time": row.time,
                    "changed_at": row.changed_at,
                },
            )
            if not is_new and row.changed_at >= known.changed_at:
                known.status, known.changed_at = row.status, row.changed_at
                known.save(update_fields=["status", "changed_at"])
