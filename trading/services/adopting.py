"""A plan becomes the trade's own when its order fills: entry, stop, target, setup and note, where
the trade has none yet. And orders that the journal hears of tell their intents how they stand."""

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from journal.models import ConditionalOrder, Order, Trade
from journal.services.annotating import BadNote, annotate, own_note
from lib.dates import to_ms
from lib.decimals import plain
from lib.parking import Parking
from market.jobs.guarding import each
from trading.models import OrderIntent
from trading.models.intents import OVER
from trading.selectors.trades import trade_of
from trading.services.settling import settle

log = structlog.get_logger(__name__)

State = OrderIntent.State
# A plan that found no trade within so long finds none: its order was never filled.
LOOKED_FOR = timedelta(days=60)
LOST = timedelta(hours=1)
AT_ONCE = 200
parked = Parking()


def adopt_once() -> int:
    """Returns how many plans went to their trades."""
    rows = OrderIntent.objects.here().filter(
        state=State.ACCEPTED,
        role=OrderIntent.Role.ORDER,
        is_reduce_only=False,
        adopted_at=None,
        made_at__gt=timezone.now() - LOOKED_FOR,
        order__order_id__isnull=False,
    )
    # only those whose order has fills by now
    rows = rows.filter(
        Q(order__status__in=["FILLED", "PARTIALLY_FILLED"]) | ~Q(order__executed__in=["0", ""])
    )
    chosen = rows.select_related("user")[:AT_ONCE]
    return sum(each("plan", chosen, _adopt, name_of=lambda intent: intent.pk, parked=parked))


def follow_orders() -> int:
    """Intents that rest take over what the journal has heard of their orders since."""
    now = timezone.now()
    # an order that was given up for lost and is there all the same
    is_lost = Q(
        state=State.REFUSED, code__in=["never_arrived", "unreachable"], changed_at__gt=now - LOST
    )
    is_resting = Q(state=State.ACCEPTED, made_at__gt=now - LOOKED_FOR)
    resting = OrderIntent.objects.here().filter(is_resting | is_lost)
    # what was triggered is still told how it finished
    goes_on = ~Q(order__status__in=list(OVER - {"TRIGGERED"})) | Q(order__status__isnull=True)
    resting = resting.filter(goes_on).only("pk", "account_id", "client_id", "order")
    wanted = {
        (intent.account_id, intent.name_now): (intent.pk, intent.order.get("changed"))
        for intent in resting
    }
    if not wanted:
        return 0
    named = {
        "account__in": {account for account, _ in wanted},
        "client_id__in": {name for _, name in wanted},
    }
    # of a conditional order its own row first: the order that its trigger made has the same name
    conditional = list(ConditionalOrder.objects.filter(**named))
    own = {(row.account_id, row.client_id) for row in conditional}
    ordinary = [
        row for row in Order.objects.filter(**named) if (row.account_id, row.client_id) not in own
    ]

    def follow(order: Order | ConditionalOrder) -> bool:
        pk, changed = wanted.get((order.account_id, order.client_id), (None, None))
        if pk is None or to_ms(order.changed_at) <= int(changed or 0):
            return False
        settle(pk, State.ACCEPTED, "journal", order=_told(order))
        return True

    orders: list[Order | ConditionalOrder] = [*conditional, *ordinary]
    return sum(each("order", orders, follow, name_of=_name_of, parked=parked))


def _name_of(order: Order | ConditionalOrder) -> str:
    return f"{order.account_id} {order.client_id}"


def _adopt(intent: OrderIntent) -> bool:
    trade = trade_of(intent)
    if trade is None:
        return False
    try:
        with transaction.atomic():
            annotate(user=intent.user, trade=trade, changes=_changes(intent, trade))
    except BadNote as error:  # a setup that was renamed since, say
        log.info("plan not adopted", intent=str(intent.pk), field=error.field)
    OrderIntent.objects.filter(pk=intent.pk).update(adopted_at=timezone.now())
    return True


def _changes(intent: OrderIntent, trade: Trade) -> dict[str, Any]:
    """Nothing that its owner has written already is written over."""
    note, plan = own_note(intent.user, trade), intent.plan
    wanted = {
        "planned_entry": plan.get("entry"),
        "planned_stop": plan.get("stop"),
        "planned_target": next(iter(plan.get("targets") or []), None),
        "setup": plan.get("setup"),
        "note": plan.get("note"),
    }
    is_set = {"setup": note.setup_id is not None, "note": bool(note.note)}
    return {
        name: value
        for name, value in wanted.items()
        if value and not is_set.get(name, getattr(note, name, None) is not None)
    }


def _told(order: Order | ConditionalOrder) -> dict[str, Any]:
    numbers = (
        {"algo_id": order.algo_id}
        if isinstance(order, ConditionalOrder)
        else {"order_id": order.order_id}
    )
    return {
        **numbers,
        "client_id": order.client_id,
        "status": order.status,
        "price": plain(order.price),
        "quantity": plain(order.quantity),
        "executed": plain(order.executed),
        "changed": to_ms(order.changed_at),
    }
