"""Findings that hold: in which groups of trades the mean result differs from that of the rest,
corrected for everything that was looked at.

Every dimension is one question. Its p-value is that of the greatest difference among its groups,
Welch's t (Welch 1947), under permutations of the results over the trades (studentised: Janssen
1997; the greatest of all groups: Westfall & Young 1993, max T). Questions are corrected together by
Benjamini & Hochberg (1995); within a question that stands, groups are named at the level that its
selection leaves (Benjamini & Bogomolov 2014). Above `MOST_RESAMPLED` trades Welch's t is read from
Student's distribution of the smaller side, times the number of groups (Bonferroni).

A habit (a stop moved away, a winner cut) is chosen with its outcome in sight, so its group must not
be compared with others. It is a question of pairs instead: what the rule would have made, less
what was made, of the same trades; Student's t of the differences. In a market that cannot be told
beforehand their mean is nothing (optional stopping: Doob 1953).

Ranges are of 95 % by the percentile bootstrap (Efron & Tibshirani 1993), within group and rest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from journal.metrics.resampling import (
    CHUNK,
    MOST_RESAMPLED,
    Columns,
    Floats,
    difference_ranges,
    mean_range,
)
from journal.metrics.trades import student_p

# what a group and its rest need to be looked at
LEAST = 20
# the share of false ones among what is claimed
FALSE_SHARE = 0.04
PERMUTATIONS = 1999
SEED = 28


@dataclass(frozen=True)
class Dimension:
    """`groups` names the group of each trade, in the order of the values; None: not known."""

    name: str
    groups: Sequence[str | None]


@dataclass(frozen=True)
class Habit:
    """Of the trades where a rule was broken and it made a difference: what keeping it would have
    made (`kept`), and what was made, in the unit of the values."""

    name: str
    kept: Sequence[float]
    made: Sequence[float]


@dataclass(frozen=True)
class Compared:
    """A group against the rest of its dimension: `effect` is mean - rest_mean, of a habit what was
    made less what the rule would have made. `p` is corrected for the groups of its dimension."""

    dimension: str
    group: str
    count: int
    rest_count: int
    mean: float
    rest_mean: float
    effect: float
    low: float
    high: float
    p: float
    is_claim: bool


@dataclass(frozen=True)
class Findings:
    """`questions`: how many were asked together; `too_few`: groups (dimension, group, n) of fewer
    trades than anything can be said of; `level`: the p up to which a group is claimed."""

    compared: list[Compared]
    questions: int
    level: float
    too_few: list[tuple[str, str, int]]

    @property
    def claims(self) -> list[Compared]:
        """The surest first; of two groups that say the same the smaller one alone."""
        claims = [one for one in self.compared if one.is_claim]
        return sorted(claims, key=lambda one: (one.p, -abs(one.effect)))


@dataclass(frozen=True)
class _Question:
    name: str
    groups: list[str]
    masks: list[NDArray[np.bool_]]
    known: NDArray[np.bool_]


def find(
    values: Sequence[float] | Floats,
    dimensions: Sequence[Dimension],
    habits: Sequence[Habit] = (),
    seed: int = SEED,
) -> Findings:
    """The result of each trade and its dimensions. Raises ValueError where a dimension is not of as
    many trades."""
    results = np.asarray(values, dtype=np.float64)
    questions, too_few = [], []
    for dimension in dimensions:
        if len(dimension.groups) != len(results):
            raise ValueError(
                f"expected a group of {dimension.name} for each of {len(results)} trades, "
                f"was {len(dimension.groups)}"
            )
        question, short = _question(dimension)
        too_few += short
        if question.groups:
            questions.append(question)
    random = np.random.default_rng(seed)
    judged: list[list[float]] = []
    ranges: list[tuple[float, float]] = []
    if questions:
        columns = _columns(questions)
        judged = _judged(results, questions, columns, random)
        ranges = difference_ranges(results, columns, random)
    enough = [habit for habit in habits if len(habit.made) >= LEAST]
    too_few += [(h.name, "", len(h.made)) for h in habits if 0 < len(h.made) < LEAST]
    pairs = [np.asarray(h.made, float) - np.asarray(h.kept, float) for h in enough]
    paired = [paired_p(differences) for differences in pairs]
    ps = [min(found) for found in judged] + paired
    standing = benjamini_hochberg(ps, FALSE_SHARE)
    level = FALSE_SHARE * sum(standing) / len(ps) if ps else 0.0
    compared: list[Compared] = []
    for question, found, stands in zip(questions, judged, standing, strict=False):
        own, ranges = ranges[: len(found)], ranges[len(found) :]
        compared += _compared(results, question, found, own, level if stands else 0.0)
    for habit, differences, p, stands in zip(
        enough, pairs, paired, standing[len(questions) :], strict=True
    ):
        low, high = mean_range(differences, random)
        made, kept = float(np.mean(habit.made)), float(np.mean(habit.kept))
        count = len(differences)
        compared.append(
            Compared(habit.name, "", count, count, made, kept, made - kept, low, high, p, stands)
        )
    return Findings(compared, len(ps), level, too_few)


def benjamini_hochberg(ps: Sequence[float], share: float) -> list[bool]:
    """Which stand: the k smallest, k the greatest with p(k) <= share x k / m."""
    order = sorted(range(len(ps)), key=lambda at: ps[at])
    last = max((k for k, at in enumerate(order, 1) if ps[at] <= share * k / len(ps)), default=0)
    standing = set(order[:last])
    return [at in standing for at in range(len(ps))]


def _question(dimension: Dimension) -> tuple[_Question, list[tuple[str, str, int]]]:
    ordered = sorted({name for name in dimension.groups if name is not None})
    number_of: dict[str | None, int] = {name: number for number, name in enumerate(ordered)}
    numbers = np.array([number_of.get(name, -1) for name in dimension.groups], dtype=np.int64)
    known = numbers >= 0
    groups, masks, short = [], [], []
    for number, name in enumerate(ordered):
        mask = numbers == number
        count = int(mask.sum())
        if count < LEAST:
            short.append((dimension.name, name, count))
        elif int(known.sum()) - count >= LEAST:
            groups.append(name)
            masks.append(mask)
    return _Question(dimension.name, groups, masks, known), short


def _columns(questions: Sequence[_Question]) -> Columns:
    members = np.column_stack([mask for q in questions for mask in q.masks]).astype(np.float64)
    known = np.column_stack([q.known for q in questions for _ in q.masks])
    bases, base_of = np.unique(known, axis=1, return_inverse=True)
    return Columns(members, bases.astype(np.float64), base_of.reshape(-1))


def _judged(
    results: Floats,
    questions: Sequence[_Question],
    columns: Columns,
    random: np.random.Generator,
) -> list[list[float]]:
    """The p of each group of each question, corrected within the question."""
    # shifted, so that squares lose no digits
    centred = results - results.mean()
    real = _welch(centred[None, :], columns)[0]
    edges = np.cumsum([0, *(len(question.masks) for question in questions)])
    spans = [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    if len(results) > MOST_RESAMPLED:
        inside, outside = columns.counts()
        freedom = np.minimum(inside, outside) - 1
        alone = [student_p(float(t), int(free)) for t, free in zip(real, freedom, strict=True)]
        groups = [alone[span] for span in spans]
        return [[min(1.0, len(ps) * p) for p in ps] for ps in groups]
    beyond = np.zeros(len(real))
    step = max(1, CHUNK // len(results))
    for start in range(0, PERMUTATIONS, step):
        size = min(step, PERMUTATIONS - start)
        shuffled = random.permuted(np.tile(centred, (size, 1)), axis=1)
        by_chance = _welch(shuffled, columns)
        for span in spans:
            # a hair of room: sums in another order differ in their last digits
            greatest = by_chance[:, span].max(axis=1)[:, None] * (1 + 1e-9)
            beyond[span] += (greatest >= real[span]).sum(axis=0)
    found = (beyond + 1) / (PERMUTATIONS + 1)
    return [[float(p) for p in found[span]] for span in spans]


def _welch(results: Floats, columns: Columns) -> Floats:
    """|t| of each group (column) against its rest, of each row of results."""
    inside, outside = columns.counts()
    sums, rest = columns.sums(results)
    sums2, rest2 = columns.sums(results * results)
    variance = (sums2 - sums**2 / inside) / (inside - 1) / inside
    variance += (rest2 - rest**2 / outside) / (outside - 1) / outside
    difference = np.abs(sums / inside - rest / outside)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / np.sqrt(np.maximum(variance, 0))
    return np.where(difference > 1e-12, t, 0.0)


def paired_p(differences: Floats) -> float:
    """Of at least two, two-sided; 1 where all are equal."""
    deviation = float(differences.std(ddof=1))
    if not deviation:
        return 1.0
    count = len(differences)
    return student_p(float(differences.mean()) / deviation * math.sqrt(count), count - 1)


def _compared(
    results: Floats,
    question: _Question,
    ps: Sequence[float],
    ranges: Sequence[tuple[float, float]],
    level: float,
) -> list[Compared]:
    compared: list[Compared] = []
    sizes = [int(mask.sum()) for mask in question.masks]
    # both say the same: the smaller one is told
    are_opposites = len(sizes) == 2 and sum(sizes) == int(question.known.sum())
    told = sizes.index(min(sizes))
    for at, (name, mask) in enumerate(zip(question.groups, question.masks, strict=True)):
        inside, outside = results[mask], results[question.known & ~mask]
        mean, rest = float(inside.mean()), float(outside.mean())
        compared.append(
            Compared(
                question.name,
                name,
                len(inside),
                len(outside),
                mean,
                rest,
                mean - rest,
                *ranges[at],
                ps[at],
                is_claim=ps[at] <= level and not (are_opposites and at != told),
            )
        )
    return compared


def means_by(values: Mapping[str, Sequence[float]], seed: int = SEED) -> dict[str, Compared]:
    """What groups chosen by the outcome cost: each one's mean with its range, and no claim."""
    random = np.random.default_rng(seed)
    shown = {}
    for name, results in sorted(values.items()):
        array = np.asarray(results, float)
        low, high = mean_range(array, random)
        mean = float(array.mean())
        shown[name] = Compared(
            "", name, len(array), 0, mean, 0.0, mean, low, high, 1.0, is_claim=False
        )
    return shown
