"""What was held before the first known fill of a contract (money.md 4.2)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from journal.ledger.moves import number_of
from journal.ledger.records import ZERO, Fill, Opening


def opening_of(
    fills: Iterable[Fill],
    position_now: Decimal,
    entry_now: Decimal | None = None,
    *,
    time: Any = None,
) -> Opening | None:
    """`fills` are of one contract, account and side, `position_now` is the exchange's, signed, of
    the moment behind the last of them. None where nothing was held before.

    Its entry is told by the first fill that closes something: the exchange booked the profit
    against the average entry of that moment; else by the position's own entry; else it is the
    first fill's price, marked assumed. The fills must be linear ones (USD-M)."""
    ordered = sorted(fills, key=lambda fill: (fill.time, number_of(fill.id)))
    quantity = position_now - sum((_signed(fill) for fill in ordered), ZERO)
    if not quantity or not ordered:
        return None
    price, is_assumed = _entry(ordered, quantity, position_now, entry_now), False
    if price is None or price <= 0:
        price, is_assumed = ordered[0].price, True
    first = ordered[0]
    return Opening(
        symbol=first.symbol,
        quantity=quantity,
        price=price,
        time=first.time if time is None else time,
        market=first.market,
        account=first.account,
        position_side=first.position_side,
        is_assumed=is_assumed,
    )


def _entry(
    fills: list[Fill], quantity: Decimal, position_now: Decimal, entry_now: Decimal | None
) -> Decimal | None:
    """The opening lots' entry = (average x held - sum of price x quantity of the known lots) /
    opening quantity, of the last moment before something is closed."""
    sign = 1 if quantity > 0 else -1
    held, known_value = abs(quantity), ZERO
    for fill in fills:
        if _signed(fill) * sign > 0:
            held += fill.quantity
            known_value += fill.price * fill.quantity
            continue
        if fill.realized is None:
            return None
        closed = min(held, fill.quantity)
        average = fill.price - sign * fill.realized / closed
        return (average * held - known_value) / abs(quantity)
    if entry_now is None or position_now * sign <= 0:
        return None
    return (entry_now * held - known_value) / abs(quantity)


def _signed(fill: Fill) -> Decimal:
    return fill.quantity if fill.side == "BUY" else -fill.quantity
