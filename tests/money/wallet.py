"""What is owned by quantities alone, apart from every lot (money.md §6)."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from tests.money.lots import ZERO
from tests.money.worth import CURRENCIES, Prices


@dataclass
class Wallet:
    """Quantities by coin (cash may be below zero), and the four sums of what is no result."""

    quantities: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    # dollars at which the flows of a currency were counted
    counted: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    opening: Fraction = ZERO
    deposits: Fraction = ZERO
    withdrawals: Fraction = ZERO
    income: Fraction = ZERO

    def move(self, coin: str, quantity: Fraction, worth: Fraction) -> None:
        self.quantities[coin] += quantity
        if coin in CURRENCIES:
            self.counted[coin] += worth

    def worth(self, prices: Prices, now: datetime) -> Fraction:
        return sum(
            (
                quantity * (prices.of(coin, now) or ZERO)
                for coin, quantity in self.quantities.items()
                if quantity
            ),
            ZERO,
        )

    def currency_effect(self, prices: Prices, now: datetime) -> Fraction:
        """§6 (a): Σ balance × move of the rate + what a flow's own price differs from the rate.

        Between the flows the rate falls out of that sum: what is left is the balance at the last
        rate less the dollars at which its flows were counted.
        """
        return sum(
            (
                self.quantities[coin] * (prices.quietly(coin, now) or ZERO) - counted
                for coin, counted in self.counted.items()
            ),
            ZERO,
        )
