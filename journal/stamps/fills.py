"""What the market was doing when a fill was made, from the best bars there are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone

from journal.books.rates import rounded
from journal.metrics import flow
from journal.metrics.excursion import slippage
from journal.models import Fill, FillFlow
from journal.stamps.around import HOUR, MINUTE, Around, extremes
from lib.dates import to_seconds
from lib.decimals import decimal, plain
from market.answers import band_sums
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.flow.detail import Detail

DAY = 86_400
LONGEST = max(flow.WINDOWS.values())
Basis = FillFlow.Basis
Stage = FillFlow.Stage
EIGHT = Decimal("1e-8")
# why a window is not told
MINUTES_ONLY, NOT_KNOWN = "minutes_only", "not_known"


@dataclass
class Found:
    """Windows by name, why others are missing, and what they were made of."""

    basis: str = ""
    windows: dict[str, flow.Window] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    seconds: Sequence[Bar] = ()


def stamp(around: Around, fill: Fill) -> FillFlow:
    """Nothing in it (`basis` empty) where nothing is known."""
    second = to_seconds(fill.time)
    result = _by_seconds(around, second) or _by_minutes(around, second)
    window = next((name for name in flow.VERDICT_WINDOWS if name in result.windows), "")
    share = flow.share(result.windows[window], fill.side == "BUY") if window else None
    bid, ask = _best_before(result.seconds)
    cost = None
    if bid and ask:
        cost = rounded(slippage(fill.price, (bid + ask) / 2, fill.quantity, fill.side == "BUY"))
    high, low = _day_range(around, second, result) if result.basis else (None, None)
    return FillFlow(
        fill=fill,
        basis=result.basis,
        windows={
            name: _as_json(result.windows[name]) if name in result.windows else None
            for name in flow.WINDOWS
        }
        if result.basis
        else {},
        why=result.why,
        window=window,
        share=None if share is None else share.quantize(EIGHT),
        bid=bid,
        ask=ask,
        day_high=high,
        day_low=low,
        slippage=cost,
        stamped_at=timezone.now(),
    )


def _by_seconds(around: Around, second: int) -> Found | None:
    bars = around.seconds(second - LONGEST, second)
    if bars is None:
        return None
    names = {Detail.FULL: Basis.TRADES, Detail.ORDER: Basis.AGGREGATES}
    detail = _least(bars)
    windows = flow.windows(_path(bars, detail), second, _bands(around))
    return Found(names.get(detail, Basis.CANDLES_1S), windows, {}, bars)


def _by_minutes(around: Around, second: int) -> Found:
    """Windows that end with the last whole minute before the fill."""
    minute = second // MINUTE * MINUTE
    result = Found(why=dict.fromkeys(flow.WINDOWS, NOT_KNOWN))
    for name, length in flow.WINDOWS.items():
        if length < flow.SHORTEST_OF_MINUTES:
            continue
        bars = around.minutes(minute - length, minute)
        if bars is None:
            continue
        path = _path(bars, _least(bars))
        start = minute - length
        result.windows[name] = flow.window_of_minutes(path, start, length, _bands(around))
        result.basis = Basis.CANDLES_1M
        del result.why[name]
    if result.basis:
        for name, length in flow.WINDOWS.items():
            if length < flow.SHORTEST_OF_MINUTES:
                result.why[name] = MINUTES_ONLY
    return result


def _least(bars: Sequence[Bar]) -> Detail:
    """A bar without trades hides nothing."""
    return min((bar.detail for bar in bars if bar.trades), default=bars[0].detail)


def _path(bars: Sequence[Bar], detail: Detail) -> list[flow.Second]:
    if detail == Detail.TOTAL:
        return [flow.Second(bar.time, bar.quote_buy, bar.quote_sell, None) for bar in bars]
    return [
        flow.Second(bar.time, bar.quote_buy, bar.quote_sell, band_sums(bar, detail)) for bar in bars
    ]


def _bands(around: Around) -> Sequence[str]:
    return SETS[around.instrument.band_set].names


def _best_before(bars: Sequence[Bar]) -> tuple[Decimal | None, Decimal | None]:
    for bar in reversed(bars):
        if bar.bid and bar.ask:
            return decimal(bar.bid), decimal(bar.ask)
    return None, None


def _day_range(around: Around, second: int, result: Found) -> tuple[Decimal | None, Decimal | None]:
    """High and low of the UTC day before the fill: its hours, the hour's minutes, the minute's
    seconds where they are known. None where the day is not known so far."""
    day, hour = second // DAY * DAY, second // HOUR * HOUR
    minute = second // MINUTE * MINUTE
    hours, minutes = around.hours(day, hour), around.minutes(hour, minute)
    if hours is None or minutes is None:
        return None, None
    own = [bar for bar in result.seconds if bar.time >= minute]
    ends = extremes([*hours, *minutes, *own])
    return (None, None) if ends is None else (decimal(ends[0]), decimal(ends[1]))


def _as_json(window: flow.Window) -> dict[str, object]:
    bands = window.bands
    return {
        "buy": plain(window.buy),
        "sell": plain(window.sell),
        "delta": plain(window.delta),
        "slope": plain(window.slope.quantize(EIGHT)),
        "bands": None if bands is None else {name: plain(delta) for name, delta in bands.items()},
    }
