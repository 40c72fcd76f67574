"""Stops and targets whose position is gone, however it went: they would meet the next one."""

from operator import attrgetter

from django.utils import timezone

from journal.models import FuturesPosition
from lib.parking import Parking
from market.jobs.guarding import each
from trading.models import OrderIntent
from trading.models.intents import OVER
from trading.selectors.trades import OPEN, trade_of
from trading.services.parts import LOOKED_AT

Role = OrderIntent.Role
AT_ONCE = 500
parked = Parking()


def take_back() -> int:
    """Mark those of futures entries whose trade has closed as unwanted: `stopping.late_arrivals`
    takes them out. Returns how many entries had some."""
    resting = OrderIntent.objects.here().filter(
        state=OrderIntent.State.ACCEPTED,
        role__in=[Role.STOP, Role.TARGET],
        market="usdm",
        order__status__in=OPEN,
        is_unwanted=False,
        parent__order__status__in=list(OVER),
    )
    entries = OrderIntent.objects.filter(
        pk__in=resting.values("parent"), made_at__gt=timezone.now() - LOOKED_AT
    )
    name_of = attrgetter("pk")
    done = each("entry", entries[:AT_ONCE], _take_back, name_of=name_of, parked=parked)
    return sum(done)


def _take_back(entry: OrderIntent) -> bool:
    """Only where fills and exchange agree that nothing of it is held."""
    trade = trade_of(entry)
    if trade is None or trade.closed_at is None or _is_held(entry):
        return False
    legs = entry.legs.filter(role__in=[Role.STOP, Role.TARGET], is_unwanted=False)
    return bool(legs.filter(order__status__in=OPEN).update(is_unwanted=True))


def _is_held(entry: OrderIntent) -> bool:
    rows = FuturesPosition.objects.filter(account=entry.account_id, symbol=entry.symbol)
    is_long = entry.side == "BUY"
    return any(row.quantity and (row.quantity > 0) == is_long for row in rows)
