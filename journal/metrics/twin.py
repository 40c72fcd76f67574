"""A trade under other rules, on the recorded path of prices: where it would have ended.

Everything is seen from the trader's side: prices times +1 of a long, -1 of a short, so that up is
always good. A stop is filled at its price, or at the opening of the bar that opened beyond it; a
target at its own price. Where one bar reached both it cannot be told which came first: the worse is
taken, and the other told with it. Rules begin when the position was whole (its last entry). Prices
that a rule would itself have moved are not in it, and neither is slippage.

Large orders' CVD: bought less sold by taker orders of at least 100,000 (`market.flow.bands`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# how long large orders are added up
TURN_SECONDS = 60


@dataclass(frozen=True)
class Path:
    """Bars from the moment on that rules begin, oldest first: the end of each (epoch s), prices,
    and the delta of large orders (NaN where no bands are known). Up to `fine_to` (epoch s) they are
    of one second."""

    ends: NDArray[np.int64]
    opens: Floats
    lows: Floats
    highs: Floats
    closes: Floats
    large: Floats
    fine_to: int

    def until(self, end: int) -> "Path":
        """Bars that end up to then."""
        return self._part(slice(None, int(np.searchsorted(self.ends, end, side="right"))))

    def behind(self, moment: int) -> "Path":
        """Bars that begin then or later."""
        first = int(np.searchsorted(self.ends, moment, side="right"))
        return self._part(slice(first if moment <= self.fine_to else first + 1, None))

    def _part(self, part: slice) -> "Path":
        return Path(
            self.ends[part],
            self.opens[part],
            self.lows[part],
            self.highs[part],
            self.closes[part],
            self.large[part],
            self.fine_to,
        )

    def seen_from(self, is_long: bool) -> "Path":
        """Prices and deltas with up as good."""
        if is_long:
            return self
        return Path(
            self.ends,
            -self.opens,
            -self.highs,
            -self.lows,
            -self.closes,
            -self.large,
            self.fine_to,
        )


@dataclass(frozen=True)
class Held:
    """A closed trade, amounts in money: `entry` is the average, `risk` the distance to the first
    stop in price (None: there was none), `worth` money of one unit of price for the whole quantity;
    `entry_fees`; `fee_rate` of the value at the exit; `funding` as (epoch s, signed). `begins` and
    `closed` in epoch s."""

    is_long: bool
    entry: float
    risk: float | None
    worth: float
    entry_fees: float
    fee_rate: float
    funding: Sequence[tuple[int, float]]
    begins: int
    closed: int

    def net(self, price: float, at: int) -> float:
        """Had all of it been closed at a price then."""
        gross = (price - self.entry) * self.worth * (1 if self.is_long else -1)
        paid = math.fsum(amount for second, amount in self.funding if second <= at)
        return gross - self.entry_fees - self.fee_rate * price * self.worth + paid


@dataclass(frozen=True)
class Exit:
    """`other`: the price that it may as well have been, where that cannot be told; `is_end`: no
    rule ended it, what is known ended there."""

    price: float
    at: int
    other: float | None = None
    is_end: bool = False


def stop_and_target(held: Held, path: Path, target_r: float, stop_r: float = 1.0) -> Exit | None:
    """None without a stop or a path."""
    if held.risk is None or not len(path.ends):
        return None
    sign, seen = _sides(held, path)
    entry = sign * held.entry
    stop, target = entry - stop_r * held.risk, entry + target_r * held.risk
    stopped, reached = _first(seen.lows <= stop), _first(seen.highs >= target)
    if stopped is None and reached is None:
        return _at_end(path)
    if stopped is None or (reached is not None and reached < stopped):
        return Exit(sign * target, int(path.ends[reached or 0]))
    price = min(stop, float(seen.opens[stopped]))
    other = sign * target if reached == stopped else None
    return Exit(sign * price, int(path.ends[stopped]), other)


def trailing(held: Held, path: Path, distance_r: float) -> Exit | None:
    """The stop follows the best price so far. A bar's own best moves it only for the bars behind;
    where it would have been reached in the same bar, that cannot be told."""
    if held.risk is None or not len(path.ends):
        return None
    sign, seen = _sides(held, path)
    entry, distance = sign * held.entry, distance_r * held.risk
    best = np.maximum(np.maximum.accumulate(seen.highs), entry)
    before = np.concatenate([[entry], best[:-1]])
    stopped = _first(seen.lows <= before - distance)
    perhaps = _first(seen.lows <= best - distance)
    if stopped is None:
        end = _at_end(path)
        sure = end.price
    else:
        level = float(before[stopped]) - distance
        sure = sign * min(level, float(seen.opens[stopped]))
        end = Exit(sure, int(path.ends[stopped]))
    if perhaps is None or perhaps == stopped:
        return end
    other = sign * (float(best[perhaps]) - distance)
    worse, better = sorted((sure, other), key=lambda price: sign * price)
    at = end.at if worse == sure else int(path.ends[perhaps])
    return Exit(worse, at, better, end.is_end)


def time_exit(held: Held, path: Path, seconds: int) -> Exit | None:
    """At the close of the bar in which the time is over; None where it was closed before."""
    at = held.begins + seconds
    if at >= held.closed:
        return None
    place = int(np.searchsorted(path.ends, at))
    if place >= len(path.ends):
        return None
    return Exit(float(path.closes[place]), int(path.ends[place]))


def flow_turns(held: Held, path: Path, seconds: int = TURN_SECONDS) -> Exit | None:
    """At the close of the first second at which large orders of the last minute, since the entry,
    are against the trade; None where they never were before it was closed. Raises ValueError where
    what is known of them is less than the way to its exit."""
    sign, seen = _sides(held, path.until(held.closed))
    if path.fine_to < held.closed or np.isnan(seen.large).any():
        raise ValueError("expected seconds with bands up to the exit")
    if not len(seen.ends):
        return None
    sums = np.concatenate([[0.0], np.cumsum(seen.large)])
    # seconds without a trade have no bar
    before = np.searchsorted(seen.ends, seen.ends - seconds, side="right")
    window = sums[1:] - sums[before]
    turned = _first(window < 0)
    if turned is None:
        return None
    return Exit(sign * float(seen.closes[turned]), int(seen.ends[turned]))


def _sides(held: Held, path: Path) -> tuple[int, Path]:
    return (1 if held.is_long else -1), path.seen_from(held.is_long)


def _first(where: NDArray[np.bool_]) -> int | None:
    return int(where.argmax()) if where.any() else None


def _at_end(path: Path) -> Exit:
    return Exit(float(path.closes[-1]), int(path.ends[-1]), is_end=True)


def funding_is_known(begins: int, ends: int) -> bool:
    """Between two moments (epoch s) no contract can have settled: some settle every hour, at its
    beginning, and what would have been paid behind an exit nobody knows."""
    return begins // 3600 == ends // 3600
