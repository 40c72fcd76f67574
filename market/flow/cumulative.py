"""Cumulative views: a CVD line is a prefix sum of deltas from an anchor.

Deltas are stored, never cumulatives, so every anchor is a view: the visible range (the first bar
shown), the UTC day, a session (any fixed moment) or the whole tape.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from market.flow.bands import BANDS
from market.flow.bars import Bar

Anchor = Literal["range", "day"]
Unit = Literal["trade", "order"]

DAY = 86_400


def band_deltas(bar: Bar, unit: Unit) -> list[int]:
    """Delta of each band in quote, scaled by 1e-16."""
    flat = bar.trade if unit == "trade" else bar.order
    return [flat[band] - flat[BANDS + band] for band in range(BANDS)]


def cumulative(
    bars: Sequence[Bar], unit: Unit, anchor: Anchor = "range", session: Iterable[int] = ()
) -> list[tuple[int, list[int]]]:
    """For each bar (total CVD, CVD of each band) at its end.

    `range` starts at the first bar; `day` starts again at each UTC midnight; `session` adds further
    moments (epoch seconds) at which the sum starts again.
    """
    starts = sorted(session)
    lines: list[tuple[int, list[int]]] = []
    total, by_band = 0, [0] * BANDS
    previous: int | None = None
    for bar in bars:
        if previous is not None and _starts_again(previous, bar.time, anchor, starts):
            total, by_band = 0, [0] * BANDS
        total += bar.delta
        by_band = [a + b for a, b in zip(by_band, band_deltas(bar, unit), strict=True)]
        lines.append((total, by_band))
        previous = bar.time
    return lines


def _starts_again(previous: int, time: int, anchor: Anchor, starts: list[int]) -> bool:
    if anchor == "day" and previous // DAY != time // DAY:
        return True
    return any(previous < start <= time for start in starts)
