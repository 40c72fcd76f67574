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
from lib.dates import to_ms
from lib.decimals import plain
from trading.errors import Conflict
from trading.models import OrderIntent
from trading.models.intents import OVER
from trading.selectors.trades import trade_of
from trading.sentences import told as _
from trading.services import cancelling, following, pricing, sending

State = OrderIntent.State
Role = OrderIntent.Role
NOT_TAKEN = _("Its exits were not taken.")
CANCELLED = _("Its exits were cancelled.")
LOOKED_AT = timedelta(days=60)
# What of an exit still works, or has done its work.
WORKS = {"NEW", "PENDING_NEW", "PARTIALLY_FILLED", "FILLED", "FINISHED", "TRIGGERED"}


def naked_entries() -> QuerySet[OrderIntent]:
    """Those that may be naked: `why_naked` says whether they are. Without those of which nothing
    is held any more (`end`)."""
    came_in = Q(order__status__in=["PARTIALLY_FILLED", *(OVER - {"REJECTED"})])
    has_nothing = Q(order__executed="0") | Q(order__executed="") | Q(order__executed__isnull=True)
    rows = OrderIntent.objects.here().filter(
        came_in,
        state=State.ACCEPTED,
        role=Role.ORDER,
        market="spot",
        side="BUY",
        plan__has_key="stop",
        made_at__gt=timezone.now() - LOOKED_AT,
    )
    return rows.exclude(has_nothing).exclude(plan__has_key="ended").order_by("-made_at")


def end(entry: OrderIntent) -> bool:
    """Whether nothing of it is held any more, nor can come in: then it is not looked at again."""
    trade = trade_of(entry) if entry.is_over else None
    if trade is None or trade.closed_at is None:
        return False
    entry.plan = {**entry.plan, "ended": to_ms(trade.closed_at)}
    entry.save(update_fields=["plan"])
    return True


def why_naked(entry: OrderIntent) -> str:
    """ "": it is protected, nothing came in, or it is not held any more."""
    if not entry.plan.get("stop") or not entry.executed or _has_stop(entry):
        return ""
    if entry.order.get("status") == "PARTIALLY_FILLED":
        why = _("A part came in; its list begins with the last of it.")
    elif entry.order.get("status") != "FILLED":
        why = _("A part came in, and its list went with the rest.")
    else:
        why = _why_gone(entry)
    return why if why and _is_held(entry) else ""


def shown(entry: OrderIntent, why: str) -> dict[str, Any]:
    return {
        "leg": "",
        "intent": str(entry.pk),
        "account": str(entry.account_id),
        "market": "spot",
        "symbol": entry.symbol,
        "quantity": plain(entry.executed),
        "position_side": "BOTH",
        "why": str(why),
    }


def protect(entry: OrderIntent) -> OrderIntent:
    """The rest of the entry goes out, and a list of stop and target protects what came in: its
    intent. Asked for twice it is the same one. Raises Conflict, Away."""
    if entry.market != "spot" or not entry.is_entry or not entry.plan.get("stop"):
        raise Conflict("not_naked", _("Expected a spot entry with a stop of its own."))
    if not entry.is_over and entry.executed:
        cancelling.cancel_intent(entry)
    with transaction.atomic():
        row = OrderIntent.objects.select_for_update(of=("self",)).get(pk=entry.pk)
        standing = [leg for leg in row.legs.filter(role=Role.STOP) if _stands(leg)]
        if standing:
            return standing[0]
        if not row.executed or not row.is_over or not why_naked(row):
            raise Conflict("not_naked", _("Nothing of this order is held without its stop."))
        made = following.protect(row)
    if not made:
        raise Conflict("too_small", _("What came in is less than the smallest order."))
    return sending.send(made[0].pk, "owner")


def _has_stop(entry: OrderIntent) -> bool:
    return any(_stands(leg) for leg in entry.legs.filter(role=Role.STOP))


def _stands(leg: OrderIntent) -> bool:
    is_gone = leg.is_over and leg.order.get("status") not in {"FILLED", "FINISHED", "TRIGGERED"}
    return leg.state not in {State.REFUSED, State.EXPIRED} and not is_gone


def _why_gone(entry: OrderIntent) -> str:
    """Of an entry that came in whole: its exits were refused, or all of them went without a fill.
    "" while the journal has heard of none of them."""
    stops = list(entry.legs.filter(role=Role.STOP))
    if any(leg.state in {State.REFUSED, State.EXPIRED} for leg in stops):
        return NOT_TAKEN
    if not stops and "/orderList/" not in entry.request["path"]:  # at the market: nothing followed
        return "" if entry.legs.exists() else NOT_TAKEN
    names = [name for intent in stops or [entry] for name in _exits_of(intent)]
    exits = Order.objects.filter(account=entry.account_id, client_id__in=names)
    statuses = set(exits.values_list("status", flat=True))
    if not statuses or statuses & WORKS:
        return ""
    return CANCELLED if "CANCELED" in statuses else NOT_TAKEN


def _exits_of(intent: OrderIntent) -> list[str]:
    """Client order ids of the exits that it asked for: of a list the one above and the one below,
    else its own."""
    ids: dict[str, str] = intent.request.get("ids", {})
    return [ids[place] for place in ("above", "below") if place in ids] or [intent.name_now]


def _is_held(entry: OrderIntent) -> bool:
    """By the trade that its fills made; before the journal knows it, by the wallet's last report,
    where that is newer than the order."""
    trade = trade_of(entry)
    if trade is not None and trade.closed_at is not None:
        return False
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
