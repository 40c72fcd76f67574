"""How open positions move together: Pearson's correlation of hourly log returns, with 95 % ranges
by Fisher's z (1921), and what that does to their common risk.

    effective = sqrt(w' C w) / sum |w|      w: signed values, C: covariances, in deviations of 1

is 1 where all is one bet and sqrt(1/n) where n equal ones know nothing of one another.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# hours that both must have
LEAST = 72
Z = 1.959964


@dataclass(frozen=True)
class Pair:
    """`value` is None where fewer than 72 hours are known of both, or one never moved."""

    first: str
    second: str
    value: float | None
    low: float | None
    high: float | None
    count: int


def correlation(first: str, second: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> Pair:
    """Of log returns in the same hours; NaN where one is not known."""
    both = ~(np.isnan(a) | np.isnan(b))
    count = int(both.sum())
    x, y = a[both], b[both]
    if count < LEAST or not x.std() or not y.std():
        return Pair(first, second, None, None, None, count)
    value = float(np.corrcoef(x, y)[0, 1])
    value = max(-1.0, min(1.0, value))
    if abs(value) > 1 - 1e-12:
        return Pair(first, second, value, value, value, count)
    z, half = math.atanh(value), Z / math.sqrt(count - 3)
    return Pair(first, second, value, math.tanh(z - half), math.tanh(z + half), count)


def effective(weights: Sequence[float], pairs: dict[tuple[int, int], float]) -> float | None:
    """`weights`: signed values times the deviation of each; `pairs` by their places (a < b). None
    without any, or where a pair is not known."""
    whole = math.fsum(abs(weight) for weight in weights)
    if not whole:
        return None
    square = math.fsum(weight * weight for weight in weights)
    for a in range(len(weights)):
        for b in range(a + 1, len(weights)):
            if (a, b) not in pairs:
                return None
            square += 2 * pairs[a, b] * weights[a] * weights[b]
    return math.sqrt(max(0.0, square)) / whole
