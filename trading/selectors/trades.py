"""From an order of ours to the trade that its fills made, and what is still to become one."""

from uuid import UUID

from accounts.models import User
from journal.models import Fill, Trade
from trading.models import OrderIntent

State = OrderIntent.State
OPEN = ("NEW", "PARTIALLY_FILLED", "PENDING_NEW")


def trade_of(intent: OrderIntent) -> Trade | None:
    """None while the journal knows of no fill of it; of an order that turned a position round the
    trade that it opened."""
    number = intent.order.get("order_id")
    if number is None:
        return None
    fill = (
        Fill.objects.filter(account=intent.account_id, market=intent.market, order_id=number)
        .order_by("time", "trade_id")
        .first()
    )
    if fill is None:
        return None
    return Trade.objects.filter(fills=fill).order_by("-opened_at").first()


def waiting_entries(user: User, account_id: UUID | None = None) -> int:
    """Trades that entries would open which are under way or rest without a fill: those of one
    symbol are one trade, and where one is open already they join it."""
    rows = OrderIntent.objects.visible_to(user).filter(
        role=OrderIntent.Role.ORDER, is_reduce_only=False
    )
    trades = Trade.objects.visible_to(user).filter(closed_at=None, kind=Trade.Kind.TRADE)
    if account_id:
        rows, trades = rows.filter(account=account_id), trades.filter(account=account_id)
    place = ("account_id", "market", "symbol")
    under_way = rows.filter(state__in=[State.WRITTEN, State.SENT, State.UNKNOWN])
    resting = rows.filter(state=State.ACCEPTED, order__status__in=OPEN)
    wanted = {*under_way.values_list(*place), *resting.values_list(*place)}
    return len(wanted - set(trades.values_list(*place))) if wanted else 0
