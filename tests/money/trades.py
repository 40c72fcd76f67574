"""A trade, how a person reads it (money.md §3.1, §3.2)."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from tests.money.lots import ZERO, Match

ONE_PERCENT = Fraction(1, 100)


@dataclass
class Trade:
    """`extra` is its funding and what counts as its fees (§5.4)."""

    direction: str
    matches: list[Match] = field(default_factory=list)
    extra: Fraction = ZERO
    # the newest fill that is in it, and the pair of the last one that has a pair
    newest: datetime | None = None
    pair: str | None = None

    @property
    def net(self) -> Fraction:
        return sum((match.net for match in self.matches), self.extra)

    @property
    def is_apart(self) -> bool:
        """§4.4: out of the statistics where the share of unknown cost is above 1 %."""
        unknown = sum((match.unknown for match in self.matches), ZERO)
        return unknown > ONE_PERCENT * self._quantity

    @property
    def row(self) -> list[str | Fraction]:
        """[direction, entry, exit, net], entry and exit on average."""
        cost = sum((match.cost for match in self.matches), ZERO)
        worth = sum((match.worth for match in self.matches), ZERO)
        return [self.direction, cost / self._quantity, worth / self._quantity, self.net]

    @property
    def _quantity(self) -> Fraction:
        return sum((match.quantity for match in self.matches), ZERO)
