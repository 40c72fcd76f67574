"""Open lots, and the order in which an exit takes them (money.md 4.4).

fifo: oldest first. lifo: newest first. hifo: highest unit cost with its entry fee first (of a
short: sold lowest first), of equal ones the oldest. average: one pool of cost and fees; lots still
leave oldest first, so that each part has a date, and every unit costs the same.
"""

from bisect import insort
from decimal import Decimal
from typing import Any, NamedTuple

from journal.ledger.records import ZERO, Id

METHODS = ("fifo", "lifo", "hifo", "average")
# (opening first, time, what orders lots of one time)
Place = tuple[int, Any, tuple[Any, ...]]


class Lot:
    """`cost` is what is left of its value (price x quantity; inverse: quantity / price), `fee` the
    opening fee that has not been matched yet, `apart` the share of it whose cost nobody knows."""

    __slots__ = ("apart", "cost", "fee", "id", "opened_at", "place", "quantity")

    def __init__(
        self,
        id: Id,
        place: Place,
        quantity: Decimal,
        cost: Decimal,
        fee: Decimal,
        apart: Decimal = ZERO,
    ) -> None:
        self.id = id
        self.place = place
        self.opened_at = place[1]
        self.quantity = quantity
        self.cost = cost
        self.fee = fee
        self.apart = apart


class Taken(NamedTuple):
    """A part of a lot; `apart` is the share of it whose cost nobody knows."""

    id: Id
    opened_at: Any
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    apart: Decimal


class Lots:
    """The lots of one side, kept in the order in which they leave (lifo: from the end)."""

    def __init__(self, method: str, *, is_short: bool = False) -> None:
        self.method = method
        self.is_short = is_short
        self.quantity = ZERO
        self.cost = ZERO
        self.fees = ZERO
        self.unknown_quantity = ZERO
        self._entries: list[tuple[Any, Lot]] = []
        # entries before it have left
        self._start = 0

    def add(self, lot: Lot) -> None:
        self.quantity += lot.quantity
        self.cost += lot.cost
        self.fees += lot.fee
        if lot.apart:
            self.unknown_quantity += lot.quantity * lot.apart
        entry = (self._key(lot), lot)
        entries = self._entries
        if len(entries) == self._start or entries[-1][0] <= entry[0]:
            entries.append(entry)
        else:
            insort(entries, entry, lo=self._start, key=lambda item: item[0])

    def take(self, quantity: Decimal) -> list[Taken]:
        """Parts that add up to `quantity`, which must not be more than there is."""
        parts: list[Taken] = []
        while quantity > 0:
            lot = self._entries[-1 if self.method == "lifo" else self._start][1]
            size = min(lot.quantity, quantity)
            parts.append(self._take_from(lot, size))
            quantity -= size
        return parts

    def take_all(self) -> list[Lot]:
        """Every lot as it stands, with its date; pooled ones at the pool's unit cost."""
        lots = [lot for _, lot in self._entries[self._start :]]
        if self.method == "average" and lots:
            self._share_the_pool(lots)
        self._clear()
        return lots

    @property
    def known_quantity(self) -> Decimal:
        return self.quantity - self.unknown_quantity

    def entries(self) -> list[tuple[Any, Lot]]:
        """What orders each lot, and the lot, in the order in which they stand."""
        return self._entries[self._start :]

    def take_up(
        self,
        entries: list[tuple[Any, Lot]],
        quantity: Decimal,
        cost: Decimal,
        fees: Decimal,
        unknown_quantity: Decimal,
    ) -> None:
        """Stand as `entries` and the sums stood, of which divisions may have left last digits."""
        self._entries, self._start = list(entries), 0
        self.quantity, self.cost, self.fees = quantity, cost, fees
        self.unknown_quantity = unknown_quantity

    def _key(self, lot: Lot) -> Any:
        if self.method != "hifo":
            return lot.place
        worth = lot.cost - lot.fee if self.is_short else -(lot.cost + lot.fee)
        return worth / lot.quantity, lot.place

    def _take_from(self, lot: Lot, size: Decimal) -> Taken:
        is_whole = size == lot.quantity
        if self.method == "average":
            taken = self._from_the_pool(lot, size)
        elif is_whole:
            taken = Taken(lot.id, lot.opened_at, size, lot.cost, lot.fee, lot.apart)
        else:
            cost = lot.cost * size / lot.quantity
            fee = lot.fee * size / lot.quantity if lot.fee else ZERO
            taken = Taken(lot.id, lot.opened_at, size, cost, fee, lot.apart)
        lot.quantity -= size
        lot.cost -= taken.cost
        lot.fee -= taken.fee
        self.cost -= taken.cost
        self.fees -= taken.fee
        self.quantity -= size
        if self.unknown_quantity:
            self.unknown_quantity -= size * taken.apart
        if is_whole:
            self._drop()
        return taken

    def _from_the_pool(self, lot: Lot, size: Decimal) -> Taken:
        if size == self.quantity:
            cost, fee = self.cost, self.fees
        else:
            cost, fee = self.cost * size / self.quantity, self.fees * size / self.quantity
        apart = self.unknown_quantity / self.quantity if self.unknown_quantity else ZERO
        return Taken(lot.id, lot.opened_at, size, cost, fee, apart)

    def _share_the_pool(self, lots: list[Lot]) -> None:
        left = [self.cost, self.fees]
        apart = self.unknown_quantity / self.quantity if self.unknown_quantity else ZERO
        for lot in lots:
            is_last = lot is lots[-1]
            lot.cost = left[0] if is_last else self.cost * lot.quantity / self.quantity
            lot.fee = left[1] if is_last else self.fees * lot.quantity / self.quantity
            lot.apart = apart
            left = [left[0] - lot.cost, left[1] - lot.fee]

    def _drop(self) -> None:
        if self.method == "lifo":
            self._entries.pop()
        else:
            self._start += 1
            if self._start > 64 and self._start * 2 > len(self._entries):
                del self._entries[: self._start]
                self._start = 0
        if len(self._entries) == self._start:
            self._clear()

    def _clear(self) -> None:
        """Nothing is left, of the last digits of divisions neither."""
        self._entries.clear()
        self._start = 0
        self.quantity = self.cost = self.fees = self.unknown_quantity = ZERO
