"""Ranges by drawing again: the percentile bootstrap (Efron & Tibshirani 1993, chapter 13), 95 %.

Of more than `MOST_RESAMPLED` values the normal range, which it comes down to there.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST_RESAMPLED = 2000
DRAWS = 2000
NORMAL_95 = 1.959964
# numbers held at once
CHUNK = 2_000_000
EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class Columns:
    """Which trades (rows, 1 or 0) are of a group: `members`, a column a group. `bases` are those
    that a group and its rest are taken from together, `base_of` the base of each group."""

    members: Floats
    bases: Floats
    base_of: NDArray[np.intp]

    def sums(self, values: Floats) -> tuple[Floats, Floats]:
        """Of each group and of its rest, for each row of values."""
        inside = values @ self.members
        return inside, (values @ self.bases)[..., self.base_of] - inside

    def counts(self) -> tuple[Floats, Floats]:
        return self.sums(np.ones(len(self.members)))


def mean_range(values: Floats, random: np.random.Generator) -> tuple[float, float]:
    """Of the mean of at least one value; a single one has no width."""
    count, mean = len(values), float(values.mean())
    if count > MOST_RESAMPLED:
        half = NORMAL_95 * float(values.std(ddof=1)) / math.sqrt(count)
        return mean - half, mean + half
    step = max(1, CHUNK // count)
    sizes = [min(step, DRAWS - at) for at in range(0, DRAWS, step)]
    drawn = [values[random.integers(0, count, (size, count))].mean(axis=1) for size in sizes]
    low, high = np.quantile(np.concatenate(drawn), EDGES)
    return float(low), float(high)


def ratio_range(above: Floats, below: Floats, random: np.random.Generator) -> tuple[float, float]:
    """Of the sum of `above` by the sum of `below` (which is above zero), both of the same units."""
    count, ratio = len(above), float(above.sum() / below.sum())
    if count > MOST_RESAMPLED:  # linearised (Cochran 1977, 6.3)
        rest = above - ratio * below
        half = NORMAL_95 * math.sqrt(count) * float(rest.std(ddof=1)) / float(below.sum())
        return ratio - half, ratio + half
    step = max(1, CHUNK // count)
    drawn = []
    for start in range(0, DRAWS, step):
        picked = random.integers(0, count, (min(step, DRAWS - start), count))
        drawn.append(above[picked].sum(axis=1) / below[picked].sum(axis=1))
    low, high = np.quantile(np.concatenate(drawn), EDGES)
    return float(low), float(high)


def difference_ranges(
    results: Floats, columns: Columns, random: np.random.Generator
) -> list[tuple[float, float]]:
    """Of each group's mean less that of its rest: whole trades drawn with returning."""
    count = len(results)
    if count > MOST_RESAMPLED:
        return _normal_ranges(results, columns)
    drawn = []
    step = max(1, CHUNK // count)
    for start in range(0, DRAWS, step):
        size = min(step, DRAWS - start)
        picked = random.integers(0, count, (size, count)) + np.arange(size)[:, None] * count
        times = np.bincount(picked.ravel(), minlength=size * count).reshape(size, count)
        weights = times.astype(np.float64)
        sums, rest_sums = columns.sums(weights * results)
        counts, rest_counts = columns.sums(weights)
        # a draw without any trade of a group says nothing of it
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn.append(sums / counts - rest_sums / rest_counts)
    low, high = np.nanquantile(np.concatenate(drawn), EDGES, axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _normal_ranges(results: Floats, columns: Columns) -> list[tuple[float, float]]:
    inside, outside = columns.counts()
    sums, rest_sums = columns.sums(results)
    squares, rest_squares = columns.sums(results**2)
    means, rest_means = sums / inside, rest_sums / outside
    variance = (squares / inside - means**2) / (inside - 1)
    variance += (rest_squares / outside - rest_means**2) / (outside - 1)
    half = NORMAL_95 * np.sqrt(np.maximum(variance, 0))
    middle = means - rest_means
    return list(zip((middle - half).tolist(), (middle + half).tolist(), strict=True))
