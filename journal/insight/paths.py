"""A path of the market as arrays: seconds as far as they are known, minutes behind them."""

import math
from collections.abc import Sequence

import numpy as np

from journal.metrics.twin import Path
from journal.stamps.around import LONGEST_PATH, MINUTE, SECOND, Around
from lib.dates import ceil_to, floor_to
from lib.decimals import QUOTE_UNIT, UNIT
from market.flow.bands import BANDS
from market.flow.bars import Bar
from market.flow.detail import Detail

# seconds up to here, minutes of longer holdings
SECONDS_UP_TO = 6 * 3600
# what trades' pictures pin behind a fill
PINNED = 300
# bands of orders of at least 100,000 (dollars; other quotes have edges alike)
LARGE = slice(BANDS - 2, BANDS)


def path_of(around: Around, begins: int, closed: int, behind: int) -> Path | None:
    """From `begins` to `behind` seconds after `closed`, or as far as it is known; None where even
    the way to `closed` is not."""
    if closed - begins <= SECONDS_UP_TO:
        whole = _seconds(around, begins, closed + behind)
        if whole is not None:
            return whole
        for end in (closed + PINNED - SECOND, closed):
            near = _seconds(around, begins, end)
            if near is not None:
                return _joined(near, _minutes(around, ceil_to(end, MINUTE), closed + behind))
    # the minute in which it became whole is half its own
    start = ceil_to(begins, MINUTE)
    return _minutes(around, start, closed + behind, least=floor_to(closed, MINUTE))


def _seconds(around: Around, start: int, end: int) -> Path | None:
    if end <= start or end - start > LONGEST_PATH:
        return None
    bars = around.seconds(start, end)
    return _path(bars, SECOND, fine_to=end) if bars else None


def _minutes(around: Around, start: int, end: int, least: int = 0) -> Path | None:
    """As far as they are known without a hole; None where that is not up to `least`."""
    known: list[Bar] = []
    for at in range(start, floor_to(end, MINUTE), MINUTE):
        bars = around.minutes(at, at + MINUTE)
        if bars is None:
            break
        known += bars
    reached = known[-1].time + MINUTE if known else start
    if not known or reached < least:
        return None
    return _path(known, MINUTE, fine_to=0)


def _path(bars: Sequence[Bar], length: int, fine_to: int) -> Path | None:
    priced = [bar for bar in bars if bar.high]
    if not priced:
        return None
    prices = np.array([(b.open, b.low, b.high, b.close) for b in priced], dtype=np.float64) / UNIT
    large = np.array([_large(bar) for bar in priced], dtype=np.float64)
    ends = np.array([bar.time + length for bar in priced], dtype=np.int64)
    return Path(ends, prices[:, 0], prices[:, 1], prices[:, 2], prices[:, 3], large, fine_to)


def _large(bar: Bar) -> float:
    if bar.detail < Detail.ORDER and bar.trades:
        return math.nan
    return (sum(bar.order[LARGE]) - sum(bar.order[BANDS : 2 * BANDS][LARGE])) / QUOTE_UNIT


def _joined(near: Path, far: Path | None) -> Path:
    if far is None:
        return near
    return Path(
        np.concatenate([near.ends, far.ends]),
        np.concatenate([near.opens, far.opens]),
        np.concatenate([near.lows, far.lows]),
        np.concatenate([near.highs, far.highs]),
        np.concatenate([near.closes, far.closes]),
        np.concatenate([near.large, far.large]),
        near.fine_to,
    )
