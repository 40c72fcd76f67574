"""What follows an accepted entry: its stop and targets, written in the transaction of the news that
wants them, so that no crash between the two leaves a position of which nobody knows."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from market.binance.filters import round_down
from trading import requests
from trading.models import OrderIntent
from trading.models.intents import new_client_id
from trading.services import lives
from trading.wanted import Wanted, read

Role = OrderIntent.Role
State = OrderIntent.State
ZERO = Decimal(0)
# News of an entry that was accepted longer ago than this makes no orders by themselves.
FRESH = timedelta(minutes=10)


def follow(entry: OrderIntent) -> list[OrderIntent]:
    """The rows that its newest news wants and that still have to be sent: each entry once. An entry
    that ended without a fill takes those back that waited for it."""
    if entry.role == Role.STOP and entry.order.get("status") == "FINISHED":
        _leave_targets(entry)
    if entry.role != Role.ORDER or not entry.plan.get("stop"):
        return []
    if entry.is_over and not entry.executed:
        _take_back(entry)
        return []
    if timezone.now() - entry.changed_at > FRESH or entry.legs.exists():
        return []
    wanted = read(entry.body)
    if entry.market == "usdm":
        return _usdm(entry, wanted)
    # a market order may be told of before it is filled: it is followed by what came in
    if wanted.type == "MARKET" and entry.is_over:
        return _spot(entry, wanted)
    return []  # the order list brings them along


def protect(entry: OrderIntent) -> list[OrderIntent]:
    """For the part of a spot entry that came in and that no list protects."""
    return _spot(entry, read(entry.body))


def _leave_targets(stop: OrderIntent) -> None:
    """A stop has done its work: targets that stayed would meet the next position."""
    OrderIntent.objects.filter(parent=stop.parent_id, role=Role.TARGET).update(is_unwanted=True)


def _take_back(entry: OrderIntent) -> None:
    """What waits to be sent is never sent; what is there goes out (stopping.late_arrivals)."""
    waiting = entry.legs.filter(is_unwanted=False).exclude(state__in=[State.REFUSED, State.EXPIRED])
    waiting.update(is_unwanted=True)


def _usdm(entry: OrderIntent, wanted: Wanted) -> list[OrderIntent]:
    quantity, step = Decimal(entry.plan["quantity"]), Decimal(entry.plan["step"])
    stop_id = new_client_id("s")
    legs = [_leg(entry, Role.STOP, requests.usdm_stop(wanted, quantity, stop_id), stop_id)]
    ids = [new_client_id("t") for _ in wanted.targets]
    if ids:
        for request in requests.usdm_targets(wanted, quantity, step, ids):
            client_id = str(request.params["clientAlgoId"])
            legs.append(_leg(entry, Role.TARGET, request, client_id))
    return legs


def _spot(entry: OrderIntent, wanted: Wanted) -> list[OrderIntent]:
    """For what came in, less what the fee may have taken of it."""
    executed = entry.executed
    assert wanted.stop is not None
    fee, step = Decimal(entry.plan["fee"]), Decimal(entry.plan["step"])
    held = executed * (1 - fee) if wanted.is_buy else executed
    quantity = round_down(held, step)
    if quantity <= ZERO:
        return []
    side = "SELL" if wanted.is_buy else "BUY"
    client_id = new_client_id("s")
    if wanted.targets:
        request = requests.oco(
            wanted.symbol, side, quantity, wanted.targets[0], wanted.stop, client_id
        )
    else:
        request = requests.stop_loss(wanted.symbol, side, quantity, wanted.stop, client_id)
    return [_leg(entry, Role.STOP, request, client_id)]


def _leg(entry: OrderIntent, role: str, request: requests.Request, client_id: str) -> OrderIntent:
    leg = OrderIntent(
        user_id=entry.user_id,
        account_id=entry.account_id,
        parent=entry,
        role=role,
        market=entry.market,
        symbol=entry.symbol,
        side=str(request.params["side"]),
        client_id=client_id,
        body={"of": str(entry.pk), "role": role},
        request=request.as_json(),
        is_reduce_only=True,
        life=lives.now(),
    )
    leg.history = [leg.note(OrderIntent.State.WRITTEN, timezone.now(), "entry accepted")]
    leg.save(force_insert=True)
    return leg
