"""What became of the price after a stop, and what stops at other distances would have made.

After a stop: the furthest beyond it (in R of the first stop and in basis points), and whether the
price came back to the entry, both within so many minutes; shares with Wilson's range (1927). In the
second of the stop nothing is counted, since what came first in it is not known.

Other distances, of the same trades: a nearer stop ends a trade whose path reached it, at its price;
a farther one lets a stopped trade go on to it, to the target where one was set, or to the end of
what is known within the hour. Quantities stay as they were, so a farther stop risks more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.explorer import Share, share
from journal.metrics.twin import Exit, Held, Path, stop_and_target

MINUTES = (5, 15, 60)
# of the first distance
DISTANCES = (0.5, 0.75, 1.25, 1.5, 2.0)
# an exit at least so far against, in R, was at the stop
STOPPED = 0.9
# where no target was set
FAR = 1000.0
BPS = 10_000.0


@dataclass(frozen=True)
class Stopped:
    """`stop` and `entry` are prices; `behind` begins after the exit."""

    is_long: bool
    entry: float
    stop: float
    ended: int
    behind: Path


@dataclass(frozen=True)
class After:
    """Within so many minutes: how far beyond the stop it went at most, the middle and nine of ten
    (None below 20), and how often it came back to the entry."""

    minutes: int
    count: int
    beyond_r: float | None
    beyond_r_90: float | None
    beyond_bps: float | None
    back: Share


def is_stopped(held: Held, exit_price: float) -> bool:
    """Closed about where the first stop was, or worse."""
    if held.risk is None:
        return False
    sign = 1 if held.is_long else -1
    return sign * (exit_price - held.entry) <= -STOPPED * held.risk


def after(stops: Sequence[Stopped]) -> list[After]:
    """Of those whose path is known so far."""
    return [_after(stops, minutes) for minutes in MINUTES]


def came_back(stopped: Stopped, minutes: int) -> bool | None:
    """Whether the price was at the entry again in that time; None where it is not known so far."""
    seen = _within(stopped, minutes)
    if seen is None:
        return None
    sign = 1 if stopped.is_long else -1
    return bool((seen.highs >= sign * stopped.entry).any())


def _after(stops: Sequence[Stopped], minutes: int) -> After:
    backs, beyond, bps = [], [], []
    for stopped in stops:
        seen, back = _within(stopped, minutes), came_back(stopped, minutes)
        if seen is None or back is None:
            continue
        sign = 1 if stopped.is_long else -1
        far = max(0.0, sign * stopped.stop - float(seen.lows.min()))
        backs.append(back)
        beyond.append(far / abs(stopped.entry - stopped.stop))
        bps.append(BPS * far / stopped.stop)
    of_backs = share(sum(backs), len(backs))
    is_enough = of_backs.value is not None
    return After(
        minutes=minutes,
        count=len(backs),
        beyond_r=float(np.median(beyond)) if is_enough else None,
        beyond_r_90=float(np.quantile(beyond, 0.9)) if is_enough else None,
        beyond_bps=float(np.median(bps)) if is_enough else None,
        back=of_backs,
    )


def _within(stopped: Stopped, minutes: int) -> Path | None:
    end = stopped.ended + minutes * 60
    path = stopped.behind.until(end)
    # the last bar may be a minute that began within
    if not len(path.ends) or int(stopped.behind.ends[-1]) < end - 60:
        return None
    return path.seen_from(stopped.is_long)


def at_distance(
    held: Held, path: Path, distance: float, target_r: float | None, *, was_stopped: bool
) -> Exit | None:
    """How the trade would have ended with its stop so far away; None: as it did."""
    if distance < 1:
        own = stop_and_target(held, path.until(held.closed), FAR, distance)
        return None if own is None or own.is_end else own
    if not was_stopped:
        return None
    return stop_and_target(held, path, target_r or FAR, distance)
