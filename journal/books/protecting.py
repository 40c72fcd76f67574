"""The stops and targets that lay at the exchange, whoever placed them, become those of the trades
that they protected. A trade that was written anew, or whose orders have changed, is marked
(`protected_at` empty) and looked at again."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.books.bulk import update
from journal.metrics.protection import STOP, TARGET, Laid, Open, Protection, protection
from journal.models import ConditionalOrder, Market, Order, Trade, TradesVersion

# An order that still waits, of whatever kind.
WAITING = {"NEW", "PARTIALLY_FILLED", "PENDING_NEW", "TRIGGERING"}
# Never placed: nobody was protected by it.
VOID = {"REJECTED"}
WRITTEN = (
    "placed_stop",
    "placed_stop_at",
    "placed_target",
    "placed_target_at",
    "stop_moves",
    "protected_at",
)
AT_ONCE = 5000
# from a moment to another, or on and on
Span = tuple[datetime, datetime | None]


def mark(orders: Iterable[Order | ConditionalOrder]) -> bool:
    """Trades that were open while one of these waited are looked at again. False: there is none."""
    spans: dict[tuple[UUID, str, str], list[Span]] = defaultdict(list)
    for order in orders:
        if laid(order) is None:
            continue
        end = _end(order)
        span = order.time, None if end is None else max(order.time, end)
        spans[order.account_id, order.market, order.symbol].append(span)
    known: set[int] = set()
    for (account_id, market, symbol), waited in spans.items():
        trades = Trade.objects.filter(account_id=account_id, market=market, symbol=symbol)
        known.update(_open_during(trades, waited))
    return bool(Trade.objects.filter(pk__in=known).mark(protected_at=None))


def _open_during(trades: "QuerySet[Trade]", waited: Iterable[Span]) -> Iterator[int]:
    """Ids of those that were open in one of the spans: one reading, however many there are."""
    spans = _joined(waited)
    begins = [begin for begin, _end in spans]
    first, last = spans[0][0], spans[-1][1]
    trades = trades.filter(Q(closed_at=None) | Q(closed_at__gte=first))
    if last is not None:
        trades = trades.filter(opened_at__lte=last)
    rows = trades.order_by().values_list("pk", "opened_at", "closed_at")
    for pk, opened, closed in rows.iterator(chunk_size=AT_ONCE):
        # of the spans that began before it was closed the last one ends last
        at = (bisect_right(begins, closed) if closed else len(begins)) - 1
        end = spans[at][1]
        if end is None or end >= opened:
            yield pk


def _joined(spans: Iterable[Span]) -> list[Span]:
    """What they cover: oldest first, and none touches another."""
    joined: list[Span] = []
    for begin, end in sorted(spans, key=lambda span: span[0]):
        before = joined[-1] if joined else None
        if before is None or (before[1] is not None and before[1] < begin):
            joined.append((begin, end))
        elif end is None or before[1] is None:
            joined[-1] = (before[0], None)
        else:
            joined[-1] = (before[0], max(before[1], end))
    return joined


def protect_account(account: ExchangeAccount) -> int:
    """All that is marked; returns how many trades that was."""
    marked, count = Trade.objects.filter(account=account, protected_at=None).order_by("pk"), 0
    while True:
        rows = list(marked[:AT_ONCE])
        count += protect(rows)
        if len(rows) < AT_ONCE:
            return count


def protect(trades: Iterable[Trade]) -> int:
    """Of trades of one account."""
    groups: dict[tuple[str, str], list[Trade]] = defaultdict(list)
    changed: set[UUID] = set()
    for trade in trades:
        groups[trade.market, trade.symbol].append(trade)
        if trade.closed_at is not None:
            changed.add(trade.account_id)
    now, count = timezone.now(), 0
    for (market, symbol), rows in groups.items():
        for row, orders in _beside(rows, orders_of(rows, market, symbol)):
            _write(row, protection(open_of(row), orders), now)
        with transaction.atomic():
            Trade.objects.filter(pk__in=[row.pk for row in rows]).locked()
            update(rows, WRITTEN)
        count += len(rows)
    TradesVersion.objects.raise_for(changed)
    return count


def _beside(trades: list[Trade], orders: list[Laid]) -> Iterator[tuple[Trade, list[Laid]]]:
    """Each trade with the orders that lay there while it was open, in one walk through both."""
    orders.sort(key=lambda order: order.begins)
    begins = [order.begins for order in orders]
    alive: list[Laid] = []
    known = 0
    for trade in sorted(trades, key=lambda trade: trade.opened_at):
        first = bisect_right(begins, trade.opened_at)
        alive += orders[known:first]
        alive = [o for o in alive if o.ends is None or o.ends >= trade.opened_at]
        known = first
        last = bisect_right(begins, trade.closed_at) if trade.closed_at else len(orders)
        yield trade, alive + orders[first:last]


def path_of(trade: Trade) -> Protection:
    """With every order that protected it."""
    return protection(open_of(trade), orders_of([trade], trade.market, trade.symbol))


def orders_of(trades: Sequence[Trade], market: str, symbol: str) -> list[Laid]:
    """What may have protected one of these."""
    account_id, first = trades[0].account_id, min(trade.opened_at for trade in trades)
    ordinary = Order.objects.filter(account_id=account_id, market=market, symbol=symbol)
    ordinary = ordinary.filter(Q(status__in=WAITING) | Q(changed_at__gte=first))
    if market == Market.USDM:
        ordinary = ordinary.filter(is_reduce_only=True)
    else:
        ordinary = ordinary.filter(Q(stop_price__gt=0) | Q(list_id__isnull=False))
    conditional = ConditionalOrder.objects.filter(
        Q(status__in=WAITING) | Q(changed_at__gte=first),
        account_id=account_id,
        market=market,
        symbol=symbol,
    )
    last = [trade.closed_at for trade in trades if trade.closed_at is not None]
    if len(last) == len(trades):
        ordinary = ordinary.filter(time__lte=max(last))
        conditional = conditional.filter(time__lte=max(last))
    orders = [laid(order) for order in (*ordinary, *conditional)]
    return [item for item in orders if item is not None]


def laid(order: Order | ConditionalOrder) -> Laid | None:
    """None for an order that protects nothing."""
    kind = _kind(order)
    if not kind or order.status in VOID:
        return None
    if isinstance(order, ConditionalOrder):
        price, name = order.trigger_price, f"algo:{order.algo_id}"
    else:
        price, name = order.stop_price or order.price, f"order:{order.order_id}"
    return Laid(
        kind=kind,
        side=order.side,
        position_side=order.position_side,
        price=price or None,
        quantity=order.quantity or None,
        begins=order.time,
        ends=_end(order),
        name=name,
        status=order.status,
    )


def _kind(order: Order | ConditionalOrder) -> str:
    """Stop, target, or neither."""
    if isinstance(order, Order) and order.original_type not in {"", order.type}:
        return ""  # made by a trigger: its conditional order stands for it
    if "STOP" in order.type:
        return STOP
    if order.type.startswith("TAKE_PROFIT"):
        return TARGET
    is_limit = isinstance(order, Order) and order.type in {"LIMIT", "LIMIT_MAKER"}
    return TARGET if is_limit and _closes(order) else ""


def open_of(trade: Trade) -> Open:
    entry = trade.entry_price / trade.quote_rate if trade.quote_rate else Decimal(0)
    return Open(
        is_long=trade.direction == "LONG",
        position_side=trade.position_side or "BOTH",
        entry=entry,
        opened=trade.opened_at,
        closed=trade.closed_at,
    )


def _closes(order: Order | ConditionalOrder) -> bool:
    return order.is_reduce_only or (isinstance(order, Order) and order.list_id is not None)


def _end(order: Order | ConditionalOrder) -> datetime | None:
    if order.status in WAITING:
        return None
    if isinstance(order, ConditionalOrder):
        return order.triggered_at or order.changed_at
    return order.changed_at


def _write(row: Trade, protection: Protection, now: datetime) -> None:
    row.placed_stop, row.placed_stop_at = protection.stop, protection.stop_at
    row.placed_target, row.placed_target_at = protection.target, protection.target_at
    row.stop_moves, row.protected_at = protection.moves, now
