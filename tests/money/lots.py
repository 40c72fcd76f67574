"""Lots, and what an exit takes from them by a method (money.md §2.2, §2.3, §4.4)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

ZERO = Fraction(0)


@dataclass(frozen=True)
class Lot:
    """Money is of the whole quantity. `number` is the order of arrival, below 0 of an opening."""

    time: datetime
    number: int
    quantity: Fraction
    cost: Fraction
    fee: Fraction = ZERO
    # of unknown cost: an opening, a shortfall, an arrival without any price (§4.4)
    is_unknown: bool = False

    def part(self, quantity: Fraction) -> "Lot":
        share = quantity / self.quantity
        return replace(self, quantity=quantity, cost=self.cost * share, fee=self.fee * share)


@dataclass(frozen=True)
class Match:
    """One lot's part of an exit; of `average` the pool's. `sign` is -1 for a short."""

    kind: str
    time: datetime
    quantity: Fraction
    cost: Fraction
    worth: Fraction
    fees: Fraction
    unknown: Fraction = ZERO
    sign: int = 1

    @property
    def net(self) -> Fraction:
        """§2.2."""
        return self.sign * (self.worth - self.cost) - self.fees

    @property
    def apart(self) -> Fraction:
        """§4.4: by the share of what is of unknown cost."""
        return self.net * self.unknown / self.quantity if self.quantity else ZERO


@dataclass
class Heap:
    method: str
    lots: list[Lot] = field(default_factory=list)

    @property
    def quantity(self) -> Fraction:
        return sum((lot.quantity for lot in self.lots), ZERO)

    @property
    def cost(self) -> Fraction:
        return sum((lot.cost for lot in self.lots), ZERO)

    @property
    def fee(self) -> Fraction:
        return sum((lot.fee for lot in self.lots), ZERO)

    def add(self, *lots: Lot) -> None:
        self.lots += [lot for lot in lots if lot.quantity]

    def empty(self) -> list[Lot]:
        lots, self.lots = self.lots, []
        return lots

    def take(self, quantity: Fraction) -> list[Lot]:
        """`average` takes the same share of every lot: cost and fees are pooled (§2.3)."""
        if self.method == "average":
            share = quantity / self.quantity if quantity else ZERO
            parts = [lot.part(lot.quantity * share) for lot in self.lots if share]
            self.lots = [lot.part(lot.quantity * (1 - share)) for lot in self.lots if share != 1]
            return parts
        parts = []
        while quantity:
            lot = self._next()
            self.lots.remove(lot)
            size = min(quantity, lot.quantity)
            parts.append(lot.part(size))
            self.add(lot.part(lot.quantity - size))
            quantity -= size
        return parts

    def _next(self) -> Lot:
        """§4.4: by their own time, then number; HIFO the dearest, of equal ones the oldest."""
        lots = sorted(self.lots, key=lambda lot: (lot.number >= 0, lot.time, lot.number))
        if self.method == "lifo":
            return lots[-1]
        if self.method == "hifo":
            return max(lots, key=lambda lot: (lot.cost + lot.fee) / lot.quantity)
        return lots[0]


def matched(
    parts: list[Lot],
    *,
    method: str,
    kind: str,
    time: datetime,
    price: Fraction,
    unit_fee: Fraction = ZERO,
    sign: int = 1,
) -> list[Match]:
    """A match a lot, or of `average` one for the pool; fees by quantity (§2.3)."""
    matches = [
        Match(
            kind,
            time,
            lot.quantity,
            lot.cost,
            price * lot.quantity,
            lot.fee + unit_fee * lot.quantity,
            lot.quantity if lot.is_unknown else ZERO,
            sign,
        )
        for lot in parts
    ]
    if method != "average" or not matches:
        return matches
    pool = replace(
        matches[0],
        quantity=sum((match.quantity for match in matches), ZERO),
        cost=sum((match.cost for match in matches), ZERO),
        worth=sum((match.worth for match in matches), ZERO),
        fees=sum((match.fees for match in matches), ZERO),
        unknown=sum((match.unknown for match in matches), ZERO),
    )
    return [pool]
