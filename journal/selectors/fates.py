"""What the rest of the insight page rests on, in the unit that the reader has chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from journal.metrics.edge import Change, change
from journal.metrics.explorer import STOPPED, Explored, Run, explore
from journal.metrics.fate import Fate, fate
from journal.metrics.findings import SEED
from journal.metrics.resampling import mean_range
from journal.selectors.report_rows import Row

LEAST = 20
AHEAD = 100
# ruin, where nobody says: so many middle losses
RUIN_LOSSES = 20
NEWEST = 5000
STOPPED_R, LATE_R = Decimal(str(STOPPED)), Decimal("-0.5")


@dataclass(frozen=True)
class Mean:
    """Of all trades, with its 95 % range; None: too few."""

    value: Decimal
    low: Decimal
    high: Decimal
    count: int


@dataclass(frozen=True)
class Changed:
    """The trade with which the second part begins."""

    change: Change
    since: Row


def mean_of(rows: Sequence[Row]) -> Mean | None:
    if len(rows) < LEAST:
        return None
    results = np.array([float(row.net) for row in rows])
    low, high = mean_range(results, np.random.default_rng(SEED))
    return Mean(exact(results.mean()), exact(low), exact(high), len(rows))


def fate_of(rows: Sequence[Row], ahead: int = AHEAD) -> Fate | None:
    """Of the newest trades. None: too few, or none of them lost."""
    results = [float(row.net) for row in rows[-NEWEST:]]
    losses = sorted(-result for result in results if result < 0)
    if not losses:
        return None
    return fate(results, ahead, RUIN_LOSSES * losses[len(losses) // 2])


def change_of(rows: Sequence[Row]) -> Changed | None:
    """`rows` by closing. None: too few."""
    shift = change([float(row.net) for row in rows])
    return None if shift is None else Changed(shift, rows[shift.at])


def explored(rows: Sequence[Row]) -> Explored:
    """Of the trades with a first stop and known bars."""
    return explore(
        [
            Run(
                float(row.r),
                float(row.worst_r),
                float(row.best_r),
                None if row.after_r is None else float(row.after_r),
            )
            for row in rows
            if row.r is not None and row.worst_r is not None and row.best_r is not None
        ]
    )


def behind(rows: Sequence[Row]) -> dict[tuple[str, str], list[int]]:
    """The trades behind the numbers of this page, by id. `rows` by closing."""
    changed = change_of(rows)
    at = changed.change.at if changed else 0
    known = [row for row in rows if row.r is not None and row.worst_r is not None]
    far = [row for row in known if row.after_r is not None and row.after_r >= 1]
    return {
        ("all", ""): [row.id for row in rows],
        ("change", "before"): [row.id for row in rows[:at]],
        ("change", "after"): [row.id for row in rows[at:]] if at else [],
        ("explored", "back"): [row.id for row in far if row.r is not None and row.r <= STOPPED_R],
        ("explored", "further"): [row.id for row in far if row.r is not None and row.r > 0],
        ("explored", "late"): [row.id for row in known if (row.worst_r or 0) <= LATE_R],
        ("explored", "winners"): [row.id for row in known if row.r is not None and row.r > 0],
    }


def exact(value: float) -> Decimal:
    """For templates, which know amounts as decimals."""
    return Decimal(f"{value:.8f}")
