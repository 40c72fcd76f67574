"""A watch over naked positions: an entry of ours that was filled, and whose stop was refused, was
cancelled or has gone; on spot, the part that came in of one. Told once each time, at once on the
page, later by alerts, which keep it in English."""

from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import Q
from django.utils import timezone, translation

from journal import live
from journal.models import FuturesPosition
from lib.parking import Parking
from market.jobs.guarding import each
from trading import events
from trading.models import OrderIntent
from trading.sentences import told as _
from trading.services import parts

State = OrderIntent.State
# What of a stop protects: it waits, or it is at work.
PROTECTS = (
    "NEW",
    "PENDING_NEW",
    "PARTIALLY_FILLED",
    "TRIGGERING",
    "TRIGGERED",
    "FINISHED",
    "FILLED",
)
AT_ONCE = 200
LOOKED_AT = timedelta(days=60)
parked = Parking()


def watch_once() -> int:
    """Returns how many positions were told of."""
    name_of = attrgetter("pk")
    fresh = parts.naked_entries().filter(plan__told__isnull=True)
    with translation.override("en"):
        told = each("stop", _gone(), _watch, name_of=name_of, parked=parked)
        return sum(told) + sum(each("part", fresh, _watch_part, name_of=name_of, parked=parked))


def _watch_part(entry: OrderIntent) -> bool:
    if parts.end(entry):
        return False
    why = parts.why_naked(entry)
    if not why:
        return False
    _tell(entry, parts.shown(entry, why))
    _mark(entry)
    return True


def _watch(stop: OrderIntent) -> bool:
    position = _position(stop)
    if position is None:
        return False  # nothing is held; what rests may still fill
    _tell(stop, _shown(stop, position))
    _mark(stop)
    return True


def naked_of(user_id: int) -> list[dict[str, Any]]:
    """For the pages: positions that stand without the stop that was meant for them."""
    rows = _stops().filter(user=user_id)
    naked = []
    for stop in rows.order_by("-made_at")[:50]:
        position = _position(stop)
        if position is not None:
            naked.append(_shown(stop, position))
    for entry in parts.naked_entries().filter(user=user_id)[:50]:
        if why := parts.why_naked(entry):
            naked.append(parts.shown(entry, why))
    return naked


def _stops() -> Any:
    """Stops of ours on futures that do not protect."""
    is_gone = Q(state__in=[State.REFUSED, State.EXPIRED]) | (
        Q(state=State.ACCEPTED) & ~Q(order__status__in=PROTECTS)
    )
    rows = OrderIntent.objects.here().filter(is_gone, role=OrderIntent.Role.STOP, market="usdm")
    return rows.filter(is_unwanted=False)


def _gone() -> list[OrderIntent]:
    fresh = _stops().filter(plan__told__isnull=True, made_at__gt=timezone.now() - LOOKED_AT)
    return list(fresh.select_related("account", "parent")[:AT_ONCE])


def _position(stop: OrderIntent) -> FuturesPosition | None:
    """What it should protect, where no other stop of ours does."""
    held = FuturesPosition.objects.filter(account=stop.account_id, symbol=stop.symbol).exclude(
        quantity=0
    )
    is_long = stop.side == "SELL"
    position = next((row for row in held if (row.quantity > Decimal(0)) == is_long), None)
    if position is None:
        return None
    others = OrderIntent.objects.filter(
        account=stop.account_id,
        symbol=stop.symbol,
        side=stop.side,
        role=OrderIntent.Role.STOP,
        state=State.ACCEPTED,
        order__status__in=PROTECTS,
    )
    return None if others.exists() else position


def _tell(intent: OrderIntent, shown: dict[str, Any]) -> None:
    text = f"{intent.symbol}: {shown['quantity']} is held without its stop."
    key = f"unprotected:{intent.pk}"
    events.tell(
        events.TradingEvent("naked", intent.user_id, str(intent.account_id), key, text, shown)
    )
    now_ms = int(timezone.now().timestamp() * 1000)
    data = {"kind": "naked", "text": text, **shown}
    slot = f"naked:{intent.parent_id or intent.pk}"
    live.tell(intent.user_id, "intents", slot, now_ms, data)


def _mark(intent: OrderIntent) -> None:
    intent.plan = {**intent.plan, "told": int(timezone.now().timestamp() * 1000)}
    intent.save(update_fields=["plan"])


def _shown(stop: OrderIntent, position: FuturesPosition) -> dict[str, Any]:
    return {
        "leg": str(stop.pk),
        "intent": str(stop.parent_id),
        "account": str(stop.account_id),
        "market": "usdm",
        "symbol": stop.symbol,
        "quantity": str(position.quantity.normalize()),
        "position_side": position.position_side,
        "why": stop.detail or stop.code or str(_("the stop is gone")),
    }
