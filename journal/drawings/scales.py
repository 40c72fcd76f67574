"""From values to places: even steps for an axis, and their short words."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lib.decimals import MINUS

Number = Decimal | float | int
UNITS = ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"))


@dataclass(frozen=True)
class Tick:
    """`at` is in per cent from the top or the left."""

    at: float
    text: str
    is_zero: bool = False


@dataclass(frozen=True)
class Scale:
    low: float
    high: float

    def share(self, value: Number) -> float:
        """0 at the lowest, 1 at the highest; a flat scale is in the middle."""
        if self.high == self.low:
            return 0.5
        return (float(value) - self.low) / (self.high - self.low)

    def x(self, value: Number) -> float:
        return round(self.share(value) * 100, 3)

    def y(self, value: Number) -> float:
        return round((1 - self.share(value)) * 100, 3)


def scale_of(values: Iterable[Number], *, with_zero: bool = True, room: float = 0.06) -> Scale:
    """Around all values, with some room, so that no line lies on the edge."""
    numbers = [float(value) for value in values]
    if with_zero:
        numbers.append(0.0)
    if not numbers:
        return Scale(0, 1)
    low, high = min(numbers), max(numbers)
    if low == high:
        return Scale(low - 1, high + 1)
    margin = (high - low) * room
    return Scale(low - margin, high + margin)


def steps(scale: Scale, wanted: int = 4) -> list[float]:
    """Round values inside of the scale: 1, 2 or 5 times a power of ten apart."""
    width = scale.high - scale.low
    if width <= 0:
        return [scale.low]
    rough = width / max(1, wanted)
    power = 10 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    first = math.ceil(scale.low / step)
    last = math.floor(scale.high / step)
    return [number * step for number in range(first, last + 1)]


def short(value: Number, *, before: str = "", unit: str = "", is_signed: bool = True) -> str:
    """`+$1.2k`: for axes only, three digits at most."""
    number = float(value)
    size, letter = abs(number), ""
    for edge, name in UNITS:
        if size >= edge:
            size, letter = size / edge, name
            break
    text = f"{size:.3g}" if size < 1000 else f"{size:.0f}"
    if "e" in text:
        text = f"{size:.8f}".rstrip("0").rstrip(".")
    if not number:
        return f"{before}0{unit}"
    sign = MINUS if number < 0 else "+" if is_signed else ""
    return f"{sign}{before}{text}{letter}{unit}"


def by_minutes(exponent: float) -> str:
    """`3 h`: of ten to that many minutes."""
    minutes = math.pow(10, exponent)
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 60:
        return f"{minutes:.0f} m"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} d"
