"""The same trades twice: as they were, and as something else would have made them.

Student's t of the differences, corrected over everything that was tried by Benjamini & Hochberg
(1995), and whether both halves of the time say the same. Ranges are of 95 %, by drawing whole
trades (`resampling.mean_range`). Below 20 trades nothing is said.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.findings import FALSE_SHARE, LEAST, SEED, benjamini_hochberg, paired_p
from journal.metrics.resampling import Floats, mean_range


@dataclass(frozen=True)
class Part:
    """The mean difference of a trade, other less made, with its range."""

    count: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """`whole` and its halves by time are None below 20 trades; `holds`: beyond what chance makes of
    all that was tried, with both halves on the same side."""

    count: int
    made: float
    other: float
    whole: Part | None
    first: Part | None
    last: Part | None
    p: float
    holds: bool


def compare(tried: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> dict[str, Paired]:
    """(made, other) of the same trades in the order of closing, by what was tried. Sums are of all
    of them."""
    random = np.random.default_rng(SEED)
    differences = {
        name: np.asarray(other, float) - np.asarray(made, float)
        for name, (made, other) in tried.items()
    }
    enough = [name for name, values in differences.items() if len(values) >= LEAST]
    ps = {name: paired_p(differences[name]) for name in enough}
    stands = dict(
        zip(enough, benjamini_hochberg([ps[name] for name in enough], FALSE_SHARE), strict=True)
    )
    found = {}
    for name, (made, other) in tried.items():
        values = differences[name]
        half = len(values) // 2
        first, last = _part(values[:half], random), _part(values[half:], random)
        agree = first is not None and last is not None and first.mean * last.mean > 0
        found[name] = Paired(
            count=len(values),
            made=math.fsum(made),
            other=math.fsum(other),
            whole=_part(values, random),
            first=first,
            last=last,
            p=ps.get(name, 1.0),
            holds=stands.get(name, False) and agree,
        )
    return found


def _part(values: Floats, random: np.random.Generator) -> Part | None:
    if len(values) < LEAST:
        return None
    low, high = mean_range(values, random)
    return Part(len(values), float(values.mean()), low, high)
