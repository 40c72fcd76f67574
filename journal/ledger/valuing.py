"""What events are worth, and what currencies moved: the ground of every translation."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from journal.ledger.moves import Effects
from journal.ledger.records import ZERO, Id, Problem
from journal.ledger.worth import Worth, is_old


class Valuing:
    """It learns prices as the events come, in the order of time."""

    def __init__(self, worth: Worth) -> None:
        self.worth = worth

    def dollars(
        self,
        asset: str,
        quantity: Decimal,
        time: Any,
        id: Id,
        effects: Effects,
        *,
        is_early: bool = False,
    ) -> Decimal | None:
        price = self.worth.price(asset, time, is_early=is_early)
        if price is None or is_old(price, time):
            worth = ZERO if price is None else abs(price.dollars * quantity)
            effects.problems.append(_missing_price(asset, quantity, time, id, worth))
        return None if price is None else price.dollars * quantity

    def first_known(
        self,
        sides: Iterable[tuple[str, Decimal]],
        time: Any,
        id: Id,
        effects: Effects,
        *,
        is_early: bool = False,
    ) -> Decimal | None:
        """By the first of the sides whose price is known, however old it is."""
        sides = list(sides)
        for asset, quantity in sides:
            price = self.worth.price(asset, time, is_early=is_early)
            if price is not None:
                worth = price.dollars * quantity
                if is_old(price, time):
                    effects.problems.append(_missing_price(asset, quantity, time, id, worth))
                return worth
        asset, quantity = sides[0]
        effects.problems.append(_missing_price(asset, quantity, time, id, ZERO))
        return None

    def move_currency(
        self, effects: Effects, asset: str, quantity: Decimal, worth: Decimal
    ) -> None:
        """Signed; dollars count 1, so they have no effect."""
        if self.worth.is_cash(asset) and not self.worth.is_unit(asset):
            effects.legs.append((asset, quantity, worth))


def _missing_price(asset: str, quantity: Decimal, time: Any, id: Id, worth: Decimal) -> Problem:
    known = "an older price is used" if worth else "it counts as 0"
    return Problem(
        "missing_price",
        id,
        abs(quantity),
        f"{abs(quantity)} {asset} at {time}: no price of {asset} at that time, {known}",
        asset=asset,
        worth=abs(worth),
        time=time,
    )
