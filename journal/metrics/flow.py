"""What the market was doing before a fill, from bars of 1 s or 1 m. Pure: no Django.

Windows end where the fill's own bar begins, since what came first inside it is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple

from journal.metrics.undefined import PRECISION

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
    """Takers' quote value bought and sold in one bar, which opens then, and the delta of each band;
    None where no bands are known."""

    second: int
    buy: Decimal
    sell: Decimal
    bands: Mapping[str, Decimal] | None


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


def windows(path: Sequence[Second], second: int) -> dict[str, Window]:
    """Of the seconds before `second` (epoch s); a second without trades counts as zero."""
    known = {item.second: item for item in path}
    return {
        name: _window([known.get(at) for at in range(second - length, second)], 1)
        for name, length in WINDOWS.items()
    }


def window_of_minutes(path: Sequence[Second], start: int, length: int) -> Window:
    """Of the whole minutes from `start` (epoch s) on."""
    known = {item.second: item for item in path}
    return _window([known.get(at) for at in range(start, start + length, MINUTE)], MINUTE)


def share(window: Window, is_buy: bool) -> Decimal | None:
    """The takers' imbalance on the fill's side: 1 all with it, -1 all against it."""
    found = window.imbalance
    return None if found is None else found if is_buy else -found


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


def _window(seconds: Sequence[Second | None], step: int) -> Window:
    """`step` is the length of each in s; None: nothing was traded."""
    buy = sell = level = ZERO
    bands: dict[str, Decimal] = {}
    has_bands = True
    levels = []
    for item in seconds:
        if item is not None:
            buy, sell = buy + item.buy, sell + item.sell
            has_bands &= item.bands is not None
            for name, delta in (item.bands or {}).items():
                bands[name] = bands.get(name, ZERO) + delta
            level += item.buy - item.sell
        levels.append(level)
    slope = _slope(levels) / step
    return Window(buy, sell, buy - sell, slope, bands if has_bands else None)


def _slope(levels: Sequence[Decimal]) -> Decimal:
    """Least squares over equally spaced points."""
    count = len(levels)
    if count < 2:
        return ZERO
    with localcontext(PRECISION):
        middle = Decimal(count - 1) / 2
        mean = sum(levels, ZERO) / count
        spread = sum(((x - middle) ** 2 for x in range(count)), ZERO)
        return sum(((x - middle) * (y - mean) for x, y in enumerate(levels)), ZERO) / spread
