"""What the market was doing before a fill, from bars of 1 s or 1 m. Pure: no Django.

Windows end where the fill's own bar begins, since what came first inside it is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import accumulate
from typing import NamedTuple

from journal.metrics.undefined import PRECISION
from lib.decimals import QUOTE_PLACES, decimal

ZERO = Decimal(0)
MINUTE = 60
WINDOWS = {"10s": 10, "1m": 60, "5m": 300, "15m": 900}
# The verdict is of the first of these that all entries of a trade have.
VERDICT_WINDOWS = ("1m", "5m")
# What minutes tell: the fill may be at any second of the one after the window.
SHORTEST_OF_MINUTES = 300
# From this share of the takers' value on, flow is called with or against.
CLEAR = Decimal("0.1")


class Second(NamedTuple):
    """Takers' quote value bought and sold in one bar, which opens then, and the delta of each band,
    scaled by 1e-16; None where no bands are known."""

    second: int
    buy: int
    sell: int
    bands: Sequence[int] | None


@dataclass(frozen=True)
class Window:
    """`delta` = bought - sold; `slope` of the CVD by least squares, quote value a second."""

    buy: Decimal
    sell: Decimal
    delta: Decimal
    slope: Decimal
    # None where a part of it has none
    bands: dict[str, Decimal] | None

    @property
    def imbalance(self) -> Decimal | None:
        """Delta as a share of the takers' value: -1 to 1; None when nobody traded."""
        total = self.buy + self.sell
        if not total:
            return None
        with localcontext(PRECISION):
            return self.delta / total


def windows(path: Sequence[Second], second: int, names: Sequence[str]) -> dict[str, Window]:
    """Of the seconds before `second` (epoch s); a second without trades counts as zero. `names` of
    the bands."""
    known = {item.second: item for item in path}
    return {
        name: _window([known.get(at) for at in range(second - length, second)], 1, names)
        for name, length in WINDOWS.items()
    }


def window_of_minutes(
    path: Sequence[Second], start: int, length: int, names: Sequence[str]
) -> Window:
    """Of the whole minutes from `start` (epoch s) on."""
    known = {item.second: item for item in path}
    minutes = range(start, start + length, MINUTE)
    return _window([known.get(at) for at in minutes], MINUTE, names)


def share(window: Window, is_buy: bool) -> Decimal | None:
    """The takers' imbalance on the fill's side: 1 all with it, -1 all against it."""
    imbalance = window.imbalance
    return None if imbalance is None else imbalance if is_buy else -imbalance


def verdict(weighted: Sequence[tuple[Decimal, Decimal | None]]) -> tuple[str, Decimal | None]:
    """(with, mixed, against or unknown; the mean share) of (quantity, share) of entries. One entry
    without a share makes the whole unknown: half an answer would be a guess."""
    if not weighted or any(found is None for _, found in weighted):
        return "unknown", None
    with localcontext(PRECISION):
        total = sum((quantity for quantity, _ in weighted), ZERO)
        mean = sum((q * s for q, s in weighted if s is not None), ZERO) / total
    if mean >= CLEAR:
        return "with", mean
    return ("against" if mean <= -CLEAR else "mixed"), mean


def _window(seconds: Sequence[Second | None], step: int, names: Sequence[str]) -> Window:
    """`step` is the length of each in s; None: nothing was traded."""
    known = [item for item in seconds if item is not None]
    buy, sell = sum(item.buy for item in known), sum(item.sell for item in known)
    deltas = (0 if item is None else item.buy - item.sell for item in seconds)
    slope = _slope(list(accumulate(deltas))) / step
    return Window(_quote(buy), _quote(sell), _quote(buy - sell), slope, _bands(known, names))


def _bands(known: Sequence[Second], names: Sequence[str]) -> dict[str, Decimal] | None:
    """None where a part of it has none."""
    by_bar = [item.bands for item in known if item.bands is not None]
    if len(by_bar) < len(known):
        return None
    sums = [sum(band) for band in zip(*by_bar, strict=True)] or [0] * len(names)
    return {name: _quote(delta) for name, delta in zip(names, sums, strict=True)}


def _quote(value: int) -> Decimal:
    return decimal(value, QUOTE_PLACES)


def _slope(levels: Sequence[int]) -> Decimal:
    """Least squares over equally spaced points: the covariance of place and level through the
    places' variance, n(n² - 1) / 12; both in whole numbers, so that one division rounds."""
    count = len(levels)
    if count < 2:
        return ZERO
    covariance = sum((2 * place - (count - 1)) * level for place, level in enumerate(levels))
    with localcontext(PRECISION):
        return _quote(6 * covariance) / (count * (count * count - 1))
