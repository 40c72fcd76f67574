"""Technical indicators, volume by price, and marks on the flow, from closed bars. Pure: no Django.

Indicators are floats for drawing (TA-Lib); volume by price and the marks are exact. Nothing is
computed across a gap: each stretch of bars without a hole begins anew, with nothing until an
indicator has enough bars.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lib.lazy import import_without
from market.flow.bars import Bar

# it would wrap all its functions for the tables of both, which take a second and 70 MB to load
talib: Any = import_without("talib", "pandas", "polars")

UNIT = 1e8
Series = dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"]
Values = "np.ndarray[tuple[int], np.dtype[np.float64]]"


class Wish(NamedTuple):
    """A name and its numbers, e.g. ("macd", (12, 26, 9))."""

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """`defaults` also say how many numbers there are."""

    defaults: tuple[int, ...]
    compute: Callable[[Series, tuple[int, ...]], Series]


def _macd(bars: Series, n: tuple[int, ...]) -> Series:
    line, signal, histogram = talib.MACD(bars["close"], n[0], n[1], n[2])
    return {"macd": line, "signal": signal, "histogram": histogram}


def _bollinger(bars: Series, n: tuple[int, ...]) -> Series:
    upper, middle, lower = talib.BBANDS(bars["close"], n[0], float(n[1]), float(n[1]))
    return {"upper": upper, "middle": middle, "lower": lower}


def _vwap(bars: Series, n: tuple[int, ...]) -> Series:
    """From the beginning of each UTC day (1) or of the answer (0)."""
    days = bars["time"] // 86_400 if n[0] else np.zeros_like(bars["time"])
    averages = np.full(len(days), np.nan)
    for day in np.unique(days):
        chosen = days == day
        base = np.cumsum(bars["base"][chosen])
        with np.errstate(invalid="ignore", divide="ignore"):
            averages[chosen] = np.cumsum(bars["quote"][chosen]) / base
    return {"vwap": averages}


KNOWN: dict[str, Known] = {
    "sma": Known((20,), lambda b, n: {"sma": talib.SMA(b["close"], n[0])}),
    "ema": Known((20,), lambda b, n: {"ema": talib.EMA(b["close"], n[0])}),
    "rsi": Known((14,), lambda b, n: {"rsi": talib.RSI(b["close"], n[0])}),
    "atr": Known((14,), lambda b, n: {"atr": talib.ATR(b["high"], b["low"], b["close"], n[0])}),
    "macd": Known((12, 26, 9), _macd),
    "bollinger": Known((20, 2), _bollinger),
    "vwap": Known((1,), _vwap),
}


def parse(text: str) -> list[Wish]:
    """`sma:50,macd:12:26:9,vwap` -> wishes. Raises ValueError with what was expected."""
    wishes = []
    for word in filter(None, text.lower().split(",")):
        name, *numbers = word.split(":")
        known = KNOWN.get(name)
        if known is None:
            raise ValueError(f"expected one of {', '.join(KNOWN)}, was {name[:20]!r}")
        if numbers and len(numbers) != len(known.defaults):
            raise ValueError(f"{name}: expected {len(known.defaults)} numbers")
        if not all(n.isascii() and n.isdigit() and 0 <= int(n) <= 1000 for n in numbers):
            raise ValueError(f"{name}: expected numbers up to 1000")
        chosen = tuple(int(n) for n in numbers) or known.defaults
        if name != "vwap" and min(chosen) < 2 and name != "macd":
            raise ValueError(f"{name}: expected numbers from 2 on")
        if name == "macd" and (min(chosen) < 2 or chosen[0] >= chosen[1]):
            raise ValueError("macd: expected fast < slow, from 2 on")
        wishes.append(Wish(name, chosen))
    if not 1 <= len(wishes) <= 12:
        raise ValueError("expected one to twelve indicators")
    return wishes


def lookback(wishes: Sequence[Wish]) -> int:
    """Bars before the first one asked for, so that exponential averages have settled."""
    return max(5 * sum(wish.numbers) if wish.name != "vwap" else 0 for wish in wishes)


def compute(bars: Sequence[Bar], seconds: int, wish: Wish) -> list[dict[str, float | int]]:
    """A point for each bar that has a value: `t` (epoch ms) and the indicator's lines."""
    points: list[dict[str, float | int]] = []
    for stretch in stretches(bars, seconds):
        lines = KNOWN[wish.name].compute(_arrays(stretch), wish.numbers)
        table = np.vstack([np.asarray(line, dtype=np.float64) for line in lines.values()])
        known = np.flatnonzero(~np.isnan(table).any(axis=0))
        for index, values in zip(known.tolist(), table[:, known].T.tolist(), strict=True):
            point = dict(zip(lines, values, strict=True))
            points.append({"t": stretch[index].time * 1000, **point})
    return points


def stretches(bars: Sequence[Bar], seconds: int) -> Iterator[list[Bar]]:
    """Bars that follow one another without a hole."""
    stretch: list[Bar] = []
    for bar in bars:
        if stretch and bar.time != stretch[-1].time + seconds:
            yield stretch
            stretch = []
        stretch.append(bar)
    if stretch:
        yield stretch


def profile(bars: Sequence[Bar], rows: int) -> list[tuple[int, int, int]]:
    """Volume by price: (lowest price of the row at 1e-8, base bought, base sold at 1e-8), lowest
    first. A second's volume lies at its own average price."""
    traded = [bar for bar in bars if bar.trades and bar.base_buy + bar.base_sell]
    if not traded:
        return []
    prices = [(bar.quote_buy + bar.quote_sell) // (bar.base_buy + bar.base_sell) for bar in traded]
    low, high = min(prices), max(prices)
    width = max(1, -(-(high - low + 1) // rows))
    sums: dict[int, list[int]] = {}
    for bar, price in zip(traded, prices, strict=True):
        row = sums.setdefault((price - low) // width, [0, 0])
        row[0] += bar.base_buy
        row[1] += bar.base_sell
    return [(low + at * width, buy, sell) for at, (buy, sell) in sorted(sums.items())]


@dataclass(frozen=True)
class Mark:
    """`kind` divergence or absorption, `side` what it speaks for; ids are its evidence."""

    time: int
    kind: str
    side: str
    first_id: int
    last_id: int


def marks(bars: Sequence[Bar], seconds: int, *, wing: int = 5, window: int = 60) -> list[Mark]:
    """On closed bars only, never across a gap, the same for a tape whenever it is asked.

    Divergence: two pivots (extreme of `wing` bars on both sides, so known `wing` bars later) with a
    higher high of the price and a lower high of the CVD, or the mirror image. Absorption: a new
    extreme of `window` bars with more than average volume and hardly any delta (< 5 %), or delta
    against the move. (order-flow.md section 4)
    """
    signs: list[Mark] = []
    for stretch in stretches(bars, seconds):
        signs += [*_divergences(stretch, wing), *_absorptions(stretch, window)]
    return sorted(signs, key=lambda mark: (mark.time, mark.kind))


def _divergences(bars: Sequence[Bar], wing: int) -> Iterator[Mark]:
    cvd = list(np.cumsum([bar.delta for bar in bars], dtype=object))
    for is_high, side in ((True, "sell"), (False, "buy")):
        before: int | None = None
        for at in range(wing, len(bars) - wing):
            around = range(at - wing, at + wing + 1)
            edge = [bars[n].high if is_high else -bars[n].low for n in around]
            if edge[wing] != max(edge) or edge.count(edge[wing]) > 1:
                continue
            if before is not None:
                sign = 1 if is_high else -1
                now, then = bars[at], bars[before]
                moved = (now.high - then.high) if is_high else (then.low - now.low)
                if moved > 0 and sign * (cvd[at] - cvd[before]) < 0:
                    yield Mark(now.time, "divergence", side, then.first_id, now.last_id)
            before = at


def _absorptions(bars: Sequence[Bar], window: int) -> Iterator[Mark]:
    for at in range(window, len(bars)):
        bar, past = bars[at], bars[at - window : at]
        volume = bar.quote_buy + bar.quote_sell
        if not volume or volume * window <= sum(b.quote_buy + b.quote_sell for b in past):
            continue
        for is_high, side in ((True, "sell"), (False, "buy")):
            is_new = (
                bar.high > max(b.high for b in past)
                if is_high
                else bar.low < min(b.low for b in past)
            )
            against = bar.delta < 0 if is_high else bar.delta > 0
            if is_new and (against or abs(bar.delta) * 20 < volume):
                yield Mark(bar.time, "absorption", side, bar.first_id, bar.last_id)


def _arrays(bars: Sequence[Bar]) -> Series:
    names = ("open", "high", "low", "close")
    arrays = {
        name: np.array([getattr(bar, name) / UNIT for bar in bars], dtype=np.float64)
        for name in names
    }
    arrays["time"] = np.array([bar.time for bar in bars], dtype=np.float64)
    arrays["base"] = np.array([(b.base_buy + b.base_sell) / UNIT for b in bars], dtype=np.float64)
    arrays["quote"] = np.array(
        [(b.quote_buy + b.quote_sell) / UNIT / UNIT for b in bars], dtype=np.float64
    )
    return arrays
