"""What a rule was worth: the results of trades that kept it beside those that broke it. Written
down afterwards, so that it shows what happened and claims nothing. Ranges of 95 % by drawing whole
trades; below 20 on a side nothing is said of the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.findings import LEAST, SEED
from journal.metrics.resampling import Columns, difference_ranges


@dataclass(frozen=True)
class Worth:
    """Means of a trade; `difference` is kept less broken, None where one side is below 20 trades;
    `cost` is the sum of what was made where it was broken."""

    name: str
    kept: int
    broken: int
    kept_mean: float | None
    broken_mean: float | None
    cost: float
    difference: float | None
    low: float | None
    high: float | None


def worth(rules: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> list[Worth]:
    """(results of those that kept it, of those that broke it) by rule, in their order."""
    random = np.random.default_rng(SEED)
    return [_worth(name, kept, broken, random) for name, (kept, broken) in rules.items()]


def _worth(
    name: str, kept: Sequence[float], broken: Sequence[float], random: np.random.Generator
) -> Worth:
    difference, low, high = None, None, None
    if min(len(kept), len(broken)) >= LEAST:
        results = np.array([*kept, *broken], dtype=np.float64)
        members = np.zeros((len(results), 1))
        members[: len(kept)] = 1
        columns = Columns(members, np.ones((len(results), 1)), np.zeros(1, dtype=np.intp))
        [(low, high)] = difference_ranges(results, columns, random)
        difference = float(np.mean(kept) - np.mean(broken))
    return Worth(
        name=name,
        kept=len(kept),
        broken=len(broken),
        kept_mean=float(np.mean(kept)) if kept else None,
        broken_mean=float(np.mean(broken)) if broken else None,
        cost=float(np.sum(broken)),
        difference=difference,
        low=low,
        high=high,
    )
