"""How far chance may have moved a mean: its 95 % range (normal, from the sample's deviation)."""

from dataclasses import dataclass
from decimal import Decimal

# 95 % of a normal distribution lie within so many deviations.
Z = Decimal("1.959964")


@dataclass(frozen=True)
class Spread:
    """A mean with its range; a single value has none."""

    mean: Decimal
    low: Decimal | None
    high: Decimal | None

    @property
    def crosses_zero(self) -> bool:
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def spread(mean: Decimal, variance: Decimal | None, count: int) -> Spread:
    """`variance` is the sample's (divided by n - 1), None of a single value."""
    if variance is None:
        return Spread(mean, None, None)
    margin = Z * (variance / count).sqrt()
    return Spread(mean, mean - margin, mean + margin)
