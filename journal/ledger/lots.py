"""Open lots, and the order in which a closing fill takes them.

fifo: oldest first. lifo: newest first. hifo: dearest first (of a short: sold lowest first), which
realises the smallest gain. average: one pool; ids go oldest first, every unit costs the average.
A lot of unknown cost is taken last, since nothing can be said of its profit.
"""

import heapq
from collections import deque
from decimal import Decimal
from typing import NamedTuple

from journal.ledger.records import ZERO

METHODS = ("fifo", "lifo", "hifo", "average")


class Lot:
    """`price` None: unknown cost. `value` is price x quantity (inverse: quantity / price) of what
    is left, `fee` the opening fee that has not been matched yet."""

    __slots__ = ("fee", "fill_id", "number", "price", "quantity", "value")

    def __init__(
        self,
        fill_id: str | int,
        price: Decimal | None,
        quantity: Decimal,
        value: Decimal,
        fee: Decimal,
        number: int,
    ) -> None:
        self.fill_id = fill_id
        self.price = price
        self.quantity = quantity
        self.value = value
        self.fee = fee
        self.number = number


class Taken(NamedTuple):
    """A part of a lot. `price` None: unknown cost."""

    fill_id: str | int
    quantity: Decimal
    price: Decimal | None
    value: Decimal
    fee: Decimal


class Lots:
    """The lots of one side. `is_inverse` makes the average harmonic, as inverse contracts do."""

    def __init__(self, method: str, is_short: bool, is_inverse: bool) -> None:
        self.method = method
        self.is_short = is_short
        self.is_inverse = is_inverse
        self.quantity = ZERO
        self._count = 0
        self._queue: deque[Lot] = deque()
        self._heap: list[tuple[Decimal, int, Lot]] = []
        self._unknown: deque[Lot] = deque()
        # of the lots of known cost: their quantity, their cost (inverse: sum of quantity / price)
        self._pool_quantity = ZERO
        self._pool_cost = ZERO
        self.fees = ZERO

    def add(
        self,
        fill_id: str | int,
        price: Decimal | None,
        quantity: Decimal,
        value: Decimal,
        fee: Decimal,
    ) -> None:
        self._count += 1
        lot = Lot(fill_id, price, quantity, value, fee, self._count)
        self.quantity += quantity
        self.fees += fee
        if price is None:
            self._unknown.append(lot)
            return
        self._pool_quantity += quantity
        self._pool_cost += value
        if self.method == "hifo":
            heapq.heappush(self._heap, (price if self.is_short else -price, lot.number, lot))
        else:
            self._queue.append(lot)

    def take(self, quantity: Decimal) -> list[Taken]:
        """Parts that add up to `quantity`, which must not be more than there is."""
        parts: list[Taken] = []
        while quantity > 0:
            lot = self._next()
            size = min(lot.quantity, quantity)
            parts.append(self._take_from(lot, size))
            quantity -= size
        return parts

    @property
    def known_quantity(self) -> Decimal:
        """What is held at a known cost: a round trip is over when none of it is left."""
        return self._pool_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Of the lots of known cost; None when there is none."""
        if not self._pool_quantity:
            return None
        if self.is_inverse:
            return self._pool_quantity / self._pool_cost if self._pool_cost else None
        return self._pool_cost / self._pool_quantity

    def copy(self) -> "Lots":
        twin = Lots(self.method, self.is_short, self.is_inverse)
        ordered = [entry[2] for entry in self._heap] or list(self._queue)
        for lot in sorted([*ordered, *self._unknown], key=lambda lot: lot.number):
            twin.add(lot.fill_id, lot.price, lot.quantity, lot.value, lot.fee)
        # sums are taken over as they are: added up anew they might round at another digit
        twin.quantity, twin.fees = self.quantity, self.fees
        twin._pool_quantity, twin._pool_cost = self._pool_quantity, self._pool_cost
        return twin

    def _next(self) -> Lot:
        if self._heap:
            return self._heap[0][2]
        if self._queue:
            return self._queue[-1] if self.method == "lifo" else self._queue[0]
        return self._unknown[0]

    def _take_from(self, lot: Lot, size: Decimal) -> Taken:
        is_whole = size == lot.quantity
        fee = lot.fee if is_whole else lot.fee * size / lot.quantity
        value = lot.value if is_whole else lot.value * size / lot.quantity
        price = lot.price
        if price is not None:
            if self.method == "average":
                price = self.average_price
                is_last = size == self._pool_quantity
                value = self._pool_cost if is_last else self._pool_cost * size / self._pool_quantity
            self._pool_quantity -= size
            self._pool_cost = self._pool_cost - value if self._pool_quantity else ZERO
        lot.quantity -= size
        lot.value -= value
        lot.fee -= fee
        self.fees -= fee
        if is_whole:
            self._drop(lot)
        is_empty = not (self._heap or self._queue or self._unknown)
        self.quantity = ZERO if is_empty else self.quantity - size
        return Taken(lot.fill_id, size, price, value, fee)

    def _drop(self, lot: Lot) -> None:
        if self._heap:
            heapq.heappop(self._heap)
        elif self._queue:
            if self.method == "lifo":
                self._queue.pop()
            else:
                self._queue.popleft()
        else:
            self._unknown.popleft()
