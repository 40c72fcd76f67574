"""Whether the mean result changed at some time: the greatest departure of the sums from a straight
line, which under no change is that of a Brownian bridge (Ploberger & Krämer 1992); its p-value is
Kolmogorov's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 40
ALARM = 0.05
TERMS = 100


@dataclass(frozen=True)
class Change:
    """`at`: how many trades are before it; the means of both sides; `is_alarm` at p <= 0.05."""

    at: int
    before: float
    after: float
    p: float
    is_alarm: bool


def change(results: Sequence[float]) -> Change | None:
    """In the order of closing. None: fewer than 40 trades, or all of them equal."""
    values = np.asarray(results, float)
    count = len(values)
    if count < LEAST:
        return None
    deviation = float(values.std(ddof=1))
    if not deviation:
        return None
    bridge = np.abs(np.cumsum(values - values.mean()))[:-1]
    at = int(bridge.argmax()) + 1
    p = kolmogorov(float(bridge.max()) / (deviation * math.sqrt(count)))
    return Change(at, float(values[:at].mean()), float(values[at:].mean()), p, p <= ALARM)


def kolmogorov(greatest: float) -> float:
    """How often a Brownian bridge departs further: 2 sum (-1)^(k-1) e^(-2 k^2 x^2)."""
    if greatest < 0.2:  # the sum is 1 to twelve places, but converges slowly
        return 1.0
    parts = ((-1) ** (k - 1) * math.exp(-2 * k * k * greatest * greatest) for k in range(1, TERMS))
    return min(1.0, max(0.0, 2 * math.fsum(parts)))
