"""Spot entries of which only a part came in, or whose exits were not taken: what is held without
the stop that was meant for it. Told as naked until a list protects it, or its owner lets one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from journal.models import Balance, Order
from journal.models.exchange import Wallet
from lib.decimals import plain
from trading.errors import Conflict
from trading.models import OrderIntent
from trading.models.intents import OVER
from trading.services import cancelling, following, pricing, sending

State = OrderIntent.State
Role = OrderIntent.Role
LOOKED_AT = timedelta(days=60)
# Of those that came in whole: their exits begin at once or never.
WHOLE_LOOKED_AT = timedelta(days=7)


def naked_entries() -> QuerySet[OrderIntent]:
    """Those that may be naked: `why_naked` says whether they are."""
    is_part = Q(order__status__in=["PARTIALLY_FILLED", *(OVER - {"FILLED", "REJECTED"})])
    has_nothing = Q(order__executed="0") | Q(order__executed="") | Q(order__executed__isnull=True)
    rows = OrderIntent.objects.here().filter(
        state=State.ACCEPTED,
        role=Role.ORDER,
        market="spot",
        side="BUY",
        plan__has_key="stop",
        made_at__gt=timezone.now() - LOOKED_AT,
    )
    is_whole = Q(order__status="FILLED", made_at__gt=timezone.now() - WHOLE_LOOKED_AT)
    return rows.filter(is_part | is_whole).exclude(has_nothing)


def why_naked(entry: OrderIntent) -> str:
    """ "": it is protected, nothing came in, or it is not held any more."""
    if not entry.plan.get("stop") or not entry.executed or _has_stop(entry):
        return ""
    if entry.order.get("status") == "PARTIALLY_FILLED":
        why = "A part came in; its list begins with the last of it."
    elif entry.order.get("status") != "FILLED":
        why = "A part came in, and its list went with the rest."
    elif not _was_refused(entry):
        return ""
    else:
        why = "Its exits were not taken."
    return why if _is_held(entry) else ""


def shown(entry: OrderIntent, why: str) -> dict[str, Any]:
    return {
        "leg": "",
        "intent": str(entry.pk),
        "account": str(entry.account_id),
        "market": "spot",
        "symbol": entry.symbol,
        "quantity": plain(entry.executed),
        "position_side": "BOTH",
        "why": why,
    }


def protect(entry: OrderIntent) -> OrderIntent:
    """The rest of the entry goes out, and a list of stop and target protects what came in: its
    intent. Asked for twice it is the same one. Raises Conflict, Away."""
    if entry.market != "spot" or not entry.is_entry or not entry.plan.get("stop"):
        raise Conflict("not_naked", "Expected a spot entry with a stop of its own.")
    if not entry.is_over and entry.executed:
        cancelling.cancel_intent(entry)
    with transaction.atomic():
        row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        standing = [leg for leg in row.legs.filter(role=Role.STOP) if _stands(leg)]
        if standing:
            return standing[0]
        if not row.executed or not row.is_over or not why_naked(row):
            raise Conflict("not_naked", "Nothing of this order is held without its stop.")
        made = following.protect(row)
    if not made:
        raise Conflict("too_small", "What came in is less than the smallest order.")
    return sending.send(made[0].pk, "owner")


def _has_stop(entry: OrderIntent) -> bool:
    return any(_stands(leg) for leg in entry.legs.filter(role=Role.STOP))


def _stands(leg: OrderIntent) -> bool:
    is_gone = leg.is_over and leg.order.get("status") not in {"FILLED", "FINISHED", "TRIGGERED"}
    return leg.state not in {State.REFUSED, State.EXPIRED} and not is_gone


def _was_refused(entry: OrderIntent) -> bool:
    """Own legs that were refused, or exits of its list that the exchange ended by itself; what its
    owner cancelled is no alarm."""
    if entry.legs.filter(role=Role.STOP, state__in=[State.REFUSED, State.EXPIRED]).exists():
        return True
    if "/orderList/" not in entry.request["path"]:  # an entry at the market that nothing followed
        return not entry.legs.exists()
    ids: dict[str, str] = entry.request.get("ids", {})
    names = [ids[place] for place in ("above", "below") if place in ids]
    statuses = set(
        Order.objects.filter(account=entry.account_id, client_id__in=names).values_list(
            "status", flat=True
        )
    )
    return bool(statuses) and statuses <= {"EXPIRED", "REJECTED"}


def _is_held(entry: OrderIntent) -> bool:
    """By the wallet's last report, where it is newer than the order."""
    listing = pricing.listing_of("spot", entry.symbol)
    balance = Balance.objects.filter(
        account=entry.account_id,
        wallet=Wallet.SPOT,
        asset=listing.base_asset if listing is not None else "",
        updated_at__gt=entry.changed_at,
    ).first()
    if balance is None:
        return True
    least = entry.executed * (1 - Decimal(entry.plan.get("fee") or 0))
    return bool(balance.total >= least)
