"""What the market was doing before a fill, from 1 s bars. Pure: no Django.

Windows end where the fill's own second begins, since what came first inside it is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import NamedTuple

from journal.metrics.undefined import PRECISION

ZERO = Decimal(0)
WINDOWS = {"10s": 10, "1m": 60, "5m": 300, "15m": 900}
# From this share of the takers' value on, flow is called with or against.
CLEAR = Decimal("0.1")


class Second(NamedTuple):
    """Takers' quote value bought and sold in one second, and the delta of each band."""

    second: int
    buy: Decimal
    sell: Decimal
    bands: Mapping[str, Decimal]


@dataclass(frozen=True)
class Window:
    """`delta` = bought - sold; `slope` of the CVD by least squares, quote value a second."""

    buy: Decimal
    sell: Decimal
    delta: Decimal
    slope: Decimal
    bands: dict[str, Decimal]

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
        name: _window([known.get(at) for at in range(second - length, second)])
        for name, length in WINDOWS.items()
    }


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


def _window(seconds: Sequence[Second | None]) -> Window:
    buy = sell = level = ZERO
    bands: dict[str, Decimal] = {}
    levels = []
    for item in seconds:
        if item is not None:
            buy, sell = buy + item.buy, sell + item.sell
            for name, delta in item.bands.items():
                bands[name] = bands.get(name, ZERO) + delta
            level += item.buy - item.sell
        levels.append(level)
    return Window(buy, sell, buy - sell, _slope(levels), bands)


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
