"""A path of the market as arrays: seconds as far as they are known, minutes behind them."""

import math
from collections.abc import Sequence

import numpy as np

from journal.metrics.twin import Path
from lib.dates import ceil_to, floor_to
from market.selectors.moments import MINUTE, SECOND, Moments, Traded

# seconds up to here, minutes of longer holdings
SECONDS_UP_TO = 6 * 3600


def path_of(moments: Moments, begins: int, closed: int, behind: int) -> Path | None:
    """From `begins` to `behind` seconds after `closed`, or as far as it is known; None where even
    the way to `closed` is not, or nothing traded on it."""
    end = closed + behind
    if closed - begins <= SECONDS_UP_TO:
        fine_to = min(end, moments.known_to(SECOND, begins))
        if fine_to >= closed:
            near = moments.stretch(SECOND, begins, fine_to) or []
            start = ceil_to(fine_to, MINUTE)
            far = _minutes(moments, start, end) if fine_to < end else []
            return _path(near, far, fine_to)
    # the minute in which it became whole is half its own
    minutes = _minutes(moments, ceil_to(begins, MINUTE), end)
    if not minutes or minutes[-1].time + MINUTE < floor_to(closed, MINUTE):
        return None
    return _path([], minutes, 0)


def _minutes(moments: Moments, start: int, end: int) -> list[Traded]:
    """As far as they are known without a hole."""
    last = floor_to(min(end, moments.known_to(MINUTE, start)), MINUTE)
    return (moments.stretch(MINUTE, start, last) or []) if last > start else []


def _path(near: Sequence[Traded], far: Sequence[Traded], fine_to: int) -> Path | None:
    bars = [*near, *far]
    if not bars:
        return None
    prices = np.array([bar[1:5] for bar in bars], dtype=np.float64)
    large = [math.nan if bar.large is None else bar.large for bar in bars]
    ends = [bar.time + SECOND for bar in near] + [bar.time + MINUTE for bar in far]
    return Path(
        np.array(ends, dtype=np.int64),
        prices[:, 0],
        prices[:, 1],
        prices[:, 2],
        prices[:, 3],
        np.array(large, dtype=np.float64),
        fine_to,
    )
