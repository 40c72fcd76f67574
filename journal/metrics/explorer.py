"""The four questions to how far trades went for and against their trader (MAE and MFE: Sweeney,
Maximum Adverse Excursion, 1997), in R of the first stop. Shares with their 95 % ranges (Wilson
1927): they describe, and say nothing of what another rule would have made."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 20
Z = 1.959964
# at the stop, or worse
STOPPED = -0.9


@dataclass(frozen=True)
class Run:
    """R of a closed trade; worst and best while it was open; the furthest in its direction within
    an hour of its exit, None where no bars tell."""

    r: float
    worst: float
    best: float
    after: float | None


@dataclass(frozen=True)
class Share:
    """`value` is None of fewer than 20 trades."""

    value: float | None
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Explored:
    """`winners_heat`: 95 % of the winners were never further against (R, positive); `back`: of the
    trades at their stop, those that came back by 1 R within an hour; `further`: of the winners,
    those that went on by 1 R; `late`: of the trades, those that were half an R against before they
    ended, whatever the end; `kept`: the middle share of the best that winners took."""

    winners_heat: float | None
    winners: int
    back: Share
    further: Share
    late: Share
    kept: float | None


def explore(runs: Sequence[Run]) -> Explored:
    winners = [run for run in runs if run.r > 0]
    stopped = [run.after for run in runs if run.r <= STOPPED and run.after is not None]
    went_on = [run.after for run in winners if run.after is not None]
    takes = [run.r / run.best for run in winners if run.best > 0]
    is_enough = len(winners) >= LEAST
    return Explored(
        winners_heat=float(np.quantile([-run.worst for run in winners], 0.95))
        if is_enough
        else None,
        winners=len(winners),
        back=share(sum(after >= 1 for after in stopped), len(stopped)),
        further=share(sum(after >= 1 for after in went_on), len(went_on)),
        late=share(sum(run.worst <= -0.5 for run in runs), len(runs)),
        kept=float(np.median(takes)) if is_enough and takes else None,
    )


def share(count: int, of: int) -> Share:
    if of < LEAST:
        return Share(None, 0.0, 1.0, of)
    part, z2 = count / of, Z * Z
    middle = (part + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * math.sqrt(part * (1 - part) / of + z2 / (4 * of * of))
    return Share(part, max(0.0, middle - half), min(1.0, middle + half), of)
