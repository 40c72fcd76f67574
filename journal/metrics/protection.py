"""The stops and targets of a trade, from the orders that lay at the exchange while it was open.
Prices are as the exchange quotes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

# A stop that is moved is placed anew within this time, before the old one is taken away or after.
MOVING = timedelta(seconds=60)
STOP, TARGET = "stop", "target"


@dataclass(frozen=True)
class Laid:
    """An order that would close a position, from its making to its end (None: it still waits).
    `price` is None where it moves by itself (a trailing stop), `quantity` where it closes all."""

    kind: str
    side: str
    position_side: str
    price: Decimal | None
    quantity: Decimal | None
    begins: datetime
    ends: datetime | None
    # `algo:7` or `order:7`
    name: str
    status: str


@dataclass(frozen=True)
class Open:
    """A trade as far as its protection is concerned; `entry` in the same price as the orders."""

    is_long: bool
    position_side: str
    entry: Decimal
    opened: datetime
    closed: datetime | None


@dataclass(frozen=True)
class Protection:
    stop: Decimal | None
    stop_at: datetime | None
    target: Decimal | None
    target_at: datetime | None
    # none, kept, towards, away, both
    moves: str
    path: Sequence[Laid]


def protection(trade: Open, orders: Iterable[Laid]) -> Protection:
    """The first stop on the losing side of the entry and the first target on the winning side; what
    was placed with the entry, before it was filled, counts."""
    path = sorted((o for o in orders if _protects(trade, o)), key=lambda o: (o.begins, o.name))
    stops = [order for order in path if order.kind == STOP]
    stop = next((o for o in stops if o.price is not None and _loses(trade, o.price)), None)
    target = next(
        (
            o
            for o in path
            if o.kind == TARGET and o.price is not None and not _loses(trade, o.price)
        ),
        None,
    )
    return Protection(
        stop.price if stop else None,
        stop.begins if stop else None,
        target.price if target else None,
        target.begins if target else None,
        moves(trade.is_long, stops),
        path,
    )


def moves(is_long: bool, stops: Sequence[Laid]) -> str:
    """How each stop stood to the one that it took the place of."""
    if not stops:
        return ""
    towards = away = False
    for number, order in enumerate(stops):
        before = _replaced(order, stops[:number])
        if before is None or order.price is None or before.price is None:
            continue
        is_up = order.price > before.price
        if order.price != before.price:
            towards, away = towards or is_up == is_long, away or is_up != is_long
    if towards and away:
        return "both"
    return "towards" if towards else "away" if away else "kept"


def _replaced(order: Laid, earlier: Sequence[Laid]) -> Laid | None:
    """The one that ended last before this one began, or while it began."""
    ended = [o for o in earlier if o.ends is not None and o.ends <= order.begins + MOVING]
    return max(ended, key=lambda o: (o.ends, o.name), default=None)


def _protects(trade: Open, order: Laid) -> bool:
    if (order.side == "SELL") != trade.is_long:
        return False
    if order.position_side != trade.position_side:
        return False
    if order.ends is not None and order.ends < trade.opened:
        return False
    return trade.closed is None or order.begins <= trade.closed


def _loses(trade: Open, price: Decimal) -> bool:
    return price < trade.entry if trade.is_long else price > trade.entry
