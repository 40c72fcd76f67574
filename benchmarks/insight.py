"""Whether findings hold: traders without any edge must hear of none, a planted leak must be found.

    make bench-insight            1,000 traders without edge, 200 of each leak, 400 trades each

The question's whole path is taken: traits from entries, permutations, correction, claims.
"""

import argparse
import math
import time
from functools import partial
from multiprocessing import Pool
from multiprocessing.pool import Pool as PoolType

import numpy as np

from benchmarks.traders import LEAKS, SHARE, TRADES, Trader, trader
from journal.metrics.findings import Findings, find
from journal.metrics.traits import dimensions

SEED = 20261128
MOST_FALSE, LEAST_FOUND = 0.07, 0.9


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--without-edge", type=int, default=1000)
    words.add_argument("--each-leak", type=int, default=200)
    asked = words.parse_args()
    began = time.perf_counter()
    with Pool() as pool:
        is_good = _measure(pool, asked.without_edge, asked.each_leak)
    print(f"{time.perf_counter() - began:.0f} s; " + ("aims met" if is_good else "AIMS MISSED"))
    return 0 if is_good else 1


def _measure(pool: PoolType, without_edge: int, each_leak: int) -> bool:
    seeds = np.random.SeedSequence(SEED).spawn(without_edge)
    false = sum(pool.imap_unordered(has_claim, seeds, chunksize=8))
    low, high = wilson(false, without_edge)
    is_good = high <= MOST_FALSE
    print(f"{without_edge:,} traders without edge, {TRADES} trades each")
    print(
        f"  with a false claim          {false:5d}  {false / without_edge:6.1%}"
        f"  (95 %: {low:.1%} to {high:.1%}; aim: at most {MOST_FALSE:.0%})",
        flush=True,
    )
    print(f"{each_leak} traders of each leak of 0.8 R on about {SHARE:.0%} of their trades")
    for number, leak in enumerate(LEAKS):
        seeds = np.random.SeedSequence((SEED, number)).spawn(each_leak)
        found = sum(pool.imap_unordered(partial(is_found, leak=leak), seeds, chunksize=8))
        low, high = wilson(found, each_leak)
        is_good = is_good and found >= LEAST_FOUND * each_leak
        print(
            f"  {leak:20} found {found:5d}  {found / each_leak:6.1%}"
            f"  (95 %: {low:.1%} to {high:.1%})",
            flush=True,
        )
    return is_good


def findings_of(one: Trader) -> Findings:
    results = [entry.result for entry in one.entries]
    return find(results, dimensions(one.entries), one.habits)


def has_claim(seed: np.random.SeedSequence) -> bool:
    return bool(findings_of(trader(np.random.default_rng(seed))).claims)


def is_found(seed: np.random.SeedSequence, leak: str) -> bool:
    """By the question that was planted, in its group, and as a cost."""
    claims = findings_of(trader(np.random.default_rng(seed), leak)).claims
    return any((one.dimension, one.group) == LEAKS[leak] and one.effect < 0 for one in claims)


def wilson(count: int, of: int) -> tuple[float, float]:
    """95 % of a share (Wilson 1927)."""
    z = 1.959964
    share, z2 = count / of, z * z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return middle - half, middle + half


if __name__ == "__main__":
    raise SystemExit(main())
