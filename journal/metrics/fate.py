"""What the next trades may bring, if they are like those so far: a circular block bootstrap
(Politis & Romano 1992), which keeps runs of trades together. Blocks are of n^(1/3) trades, the
order that Hall, Horowitz & Jing (1995) find best for a variance.

It knows of nothing that has not happened yet: a market that changes is outside of every quantile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PATHS = 4000
LEAST = 20
MOST_AHEAD = 500
SEED = 28
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Fate:
    """In the unit of the results. `fan`: the sums after each trade, a line a quantile; `drawdowns`:
    the deepest fall below a high of each path, positive; `ruin`: the share of paths that ever lose
    `ruin_at`."""

    ahead: int
    block: int
    ends: Sequence[float]
    drawdowns: Sequence[float]
    fan: Sequence[Sequence[float]]
    ruin_at: float
    ruin: float


def fate(results: Sequence[float], ahead: int, ruin_at: float, seed: int = SEED) -> Fate | None:
    """None: of fewer than 20 trades nothing is said. Raises ValueError for a count out of range or
    a ruin that is no loss."""
    if not 1 <= ahead <= MOST_AHEAD:
        raise ValueError(f"expected 1 to {MOST_AHEAD} trades ahead, was {ahead}")
    if ruin_at <= 0:
        raise ValueError(f"expected a loss above 0 as ruin, was {ruin_at}")
    count = len(results)
    if count < LEAST:
        return None
    block = max(1, round(count ** (1 / 3)))
    random = np.random.default_rng(seed)
    starts = random.integers(0, count, (PATHS, -(-ahead // block)))
    picked = (starts[:, :, None] + np.arange(block)) % count
    sums = np.cumsum(np.asarray(results, float)[picked.reshape(PATHS, -1)[:, :ahead]], axis=1)
    highs = np.maximum(np.maximum.accumulate(sums, axis=1), 0)
    falls = (highs - sums).max(axis=1)
    return Fate(
        ahead=ahead,
        block=block,
        ends=np.quantile(sums[:, -1], QUANTILES).tolist(),
        drawdowns=np.quantile(falls, QUANTILES).tolist(),
        fan=np.quantile(sums, QUANTILES, axis=0).tolist(),
        ruin_at=ruin_at,
        ruin=float((sums.min(axis=1) <= -ruin_at).mean()),
    )
