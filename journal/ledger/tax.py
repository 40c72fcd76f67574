"""The tax view of a coin (money.md 3.8): the same lots on arrival, matched by the method over the
whole coin. And the tax report's own, where the owner stated what his deposits had cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from journal.ledger.exits import Exit
from journal.ledger.lots import Lot, Lots
from journal.ledger.moves import Move
from journal.ledger.records import ZERO, Id, Match


class Stated(NamedTuple):
    """What the whole of a deposit had cost in dollars, and when it was bought."""

    cost: Decimal
    time: Any


# (coin, id of the deposit) -> what its owner stated
StatedCosts = Mapping[tuple[str, Id], Stated]


class TaxView:
    def __init__(self, method: str, stated: StatedCosts | None = None) -> None:
        self.lots = Lots(method)
        self.matches: list[Match] = []
        self._stated = stated or {}

    def come_in(self, lot: Lot, coin: str) -> None:
        stated = self._stated.get((coin, lot.id))
        place, cost, apart = lot.place, lot.cost, lot.apart
        if stated is not None:
            place, cost, apart = (lot.place[0], stated.time, lot.place[2]), stated.cost, ZERO
        self.lots.add(Lot(lot.id, place, lot.quantity, cost, lot.fee, apart))

    def go_out(self, move: Move, quantity: Decimal, worth: Decimal) -> None:
        self.matches += Exit(move, quantity, worth).matches(self.lots.take(quantity))
