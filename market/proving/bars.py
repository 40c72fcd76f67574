"""Bars against the exchange's own truth, told by the simulator as exact text."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lib.decimals import QUOTE_PLACES, text
from market.flow.bands import BANDS
from market.flow.bars import Bar
from market.flow.detail import Detail

# Units of which each detail knows the bands.
UNITS = {Detail.FULL: ("trade", "order"), Detail.ORDER: ("order",), Detail.TOTAL: ()}
MOST_TOLD = 3


def differing(
    truth: Mapping[int, Mapping[str, Any]], bars: Mapping[int, Bar]
) -> Iterator[tuple[int, str]]:
    """(open time, what is wrong) of every bar that is missing, differs, or that nobody traded."""
    for at, sums in truth.items():
        what = difference(bars.get(at), sums)
        if what:
            yield at, what
    first, last = min(truth, default=0), max(truth, default=0)
    for at, bar in bars.items():
        if first <= at <= last and at not in truth and bar.trades:
            yield at, "a bar that nobody traded"


def difference(bar: Bar | None, sums: Mapping[str, Any]) -> str:
    """What of a bar is not as the truth says, in the units that it knows; empty: nothing."""
    if bar is None:
        return "missing"
    mine: dict[str, Any] = {
        "trades": bar.trades,
        "first_id": bar.first_id,
        "last_id": bar.last_id,
        "open": text(bar.open),
        "high": text(bar.high),
        "low": text(bar.low),
        "close": text(bar.close),
        "buy": text(bar.quote_buy, QUOTE_PLACES),
        "sell": text(bar.quote_sell, QUOTE_PLACES),
        "base_buy": text(bar.base_buy),
        "base_sell": text(bar.base_sell),
    }
    wrong = [
        f"{name} {value} is {sums[name]}" for name, value in mine.items() if value != sums[name]
    ]
    for unit in UNITS[bar.detail]:
        flat = getattr(bar, unit)
        for index, (name, band) in enumerate(sums[unit].items()):
            ours = {
                "buy": text(flat[index], QUOTE_PLACES),
                "sell": text(flat[BANDS + index], QUOTE_PLACES),
                "count": flat[2 * BANDS + index],
            }
            if ours != band:
                wrong.append(f"{unit} {name} {json.dumps(ours)} is {json.dumps(band)}")
    return "; ".join(wrong[:MOST_TOLD])
