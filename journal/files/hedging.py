"""Position sides of an export that names none: hedge mode shows where what the exchange booked as
realised contradicts one position, and agrees with two."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from journal.files.found import FoundFill

ZERO = Decimal(0)
LEAST = Decimal("0.000001")
SHARE = Decimal("0.0005")


@dataclass
class Held:
    """One position: signed quantity and average entry."""

    quantity: Decimal = ZERO
    entry: Decimal = ZERO

    def take(self, signed: Decimal, price: Decimal) -> Decimal:
        """What it realises."""
        realised = ZERO
        if self.quantity * signed < 0:
            closed = min(abs(signed), abs(self.quantity)).copy_sign(self.quantity)
            realised = (price - self.entry) * closed
            self.quantity -= closed
            signed += closed
        if signed:
            total = self.quantity + signed
            self.entry = (self.entry * self.quantity + price * signed) / total
            self.quantity = total
        return realised


def tell_sides(fills: Sequence[FoundFill]) -> None:
    """In place; `fills` are one contract's, oldest first. Where neither reading agrees (history
    that begins inside a position) they stay as they are."""
    if _is_one_position(fills):
        return
    sides = _two_positions(fills)
    if sides is not None:
        for fill, side in zip(fills, sides, strict=True):
            fill.position_side = side


def _is_one_position(fills: Sequence[FoundFill]) -> bool:
    held = Held()
    return all(_agrees(fill, held.take(_signed(fill), fill.price)) for fill in fills)


def _two_positions(fills: Sequence[FoundFill]) -> list[str] | None:
    """A row that realised nothing opens, any other closes the position of the other side."""
    held = {"LONG": Held(), "SHORT": Held()}
    sides = []
    for fill in fills:
        opens, closes = ("LONG", "SHORT") if fill.side == "BUY" else ("SHORT", "LONG")
        side = closes if fill.realized else opens
        if side == closes and abs(held[side].quantity) < fill.quantity:
            return None
        if not _agrees(fill, held[side].take(_signed(fill), fill.price)):
            return None
        sides.append(side)
    return sides


def _signed(fill: FoundFill) -> Decimal:
    return fill.quantity if fill.side == "BUY" else -fill.quantity


def _agrees(fill: FoundFill, realised: Decimal) -> bool:
    told = fill.realized or ZERO
    return abs(told - realised) <= max(LEAST, SHARE * abs(told), SHARE * fill.value / 100)
