"""Whether the mean result changed at some time: the greatest departure of the sums from a straight
line, which under no change is that of a Brownian bridge (Ploberger & Krämer 1992); its p-value is
Kolmogorov's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.resampling import NORMAL_95

LEAST = 40
ALARM = 0.05
TERMS = 100
# trades of a rolling mean, and how many places of it are told
WINDOW = 50
POINTS = 200


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


@dataclass(frozen=True)
class Rolling:
    """The mean of the last `window` trades after each `at` of them (1: the first), with its 95 %
    range (normal, of the sample's deviation)."""

    window: int
    at: list[int]
    means: list[float]
    lows: list[float]
    highs: list[float]


def rolling(results: Sequence[float], window: int = WINDOW) -> Rolling | None:
    """In the order of closing; at most 200 places of it, the last one always. None: not two whole
    windows."""
    count = len(results)
    if count < 2 * window:
        return None
    parts = np.lib.stride_tricks.sliding_window_view(np.asarray(results, float), window)
    step = -(-len(parts) // POINTS)
    chosen = parts[::-1][::step][::-1]
    ends = np.arange(window, count + 1)[::-1][::step][::-1]
    means = chosen.mean(axis=1)
    halves = NORMAL_95 * chosen.std(axis=1, ddof=1) / math.sqrt(window)
    return Rolling(
        window, ends.tolist(), means.tolist(), (means - halves).tolist(), (means + halves).tolist()
    )
