"""Bars: what the takers did in one span of time, in exact integers.

A 1 s bar is built from trades (`tape.py`); every longer bar is by definition the roll-up of its
1 s bars, so it does not depend on the order in which anything arrived.
"""

from collections.abc import Iterable

from lib.dates import MONDAY, WEEK
from market.flow.bands import BANDS
from market.flow.detail import Detail


class Bar:
    """One span of one instrument.

    Prices, base quantities and best bid/ask are scaled by 1e-8, quote values by 1e-16. `trade` and
    `order` hold the bands in both units, flat: 6 bought, 6 sold (quote), 6 counts. `delta_low` and
    `delta_high` are the extremes of the running quote delta, which starts the bar at 0. Bands that
    `detail` does not know are 0.
    """

    __slots__ = (
        "ask",
        "base_buy",
        "base_sell",
        "bid",
        "close",
        "delta_high",
        "delta_low",
        "detail",
        "first_id",
        "high",
        "last_id",
        "low",
        "open",
        "order",
        "quote_buy",
        "quote_sell",
        "revision",
        "time",
        "trade",
        "trades",
    )

    def __init__(self, time: int) -> None:
        self.time = time  # open time, epoch seconds
        self.open = self.high = self.low = self.close = 0
        self.trades = 0
        self.first_id = self.last_id = -1
        self.base_buy = self.base_sell = self.quote_buy = self.quote_sell = 0
        self.delta_low = self.delta_high = 0
        self.bid = self.ask = 0  # newest best prices seen in the bar, 0 when none was
        self.trade = [0] * (3 * BANDS)
        self.order = [0] * (3 * BANDS)
        self.revision = 0
        self.detail = Detail.FULL

    @property
    def delta(self) -> int:
        """Bought minus sold by takers, in quote."""
        return self.quote_buy - self.quote_sell

    def flow(self) -> tuple[object, ...]:
        """Everything that the trades alone decide; two writers of one tape agree on it."""
        return (
            self.time,
            self.open,
            self.high,
            self.low,
            self.close,
            self.trades,
            self.first_id,
            self.last_id,
            self.base_buy,
            self.base_sell,
            self.quote_buy,
            self.quote_sell,
            self.delta_low,
            self.delta_high,
            tuple(self.trade),
            tuple(self.order),
            self.detail,
        )

    def add(self, later: "Bar") -> None:
        """Append the bar that follows this one in time."""
        if later.bid:
            self.bid, self.ask = later.bid, later.ask
        if later.revision > self.revision:
            self.revision = later.revision
        if later.detail < self.detail:
            self.detail = later.detail
        if not later.trades:
            return
        if self.trades:
            self.high = max(self.high, later.high)
            self.low = min(self.low, later.low)
            self.first_id = min(self.first_id, later.first_id)
            self.last_id = max(self.last_id, later.last_id)
        else:
            self.open, self.high, self.low = later.open, later.high, later.low
            self.first_id, self.last_id = later.first_id, later.last_id
        self.close = later.close
        delta = self.quote_buy - self.quote_sell
        self.delta_low = min(self.delta_low, delta + later.delta_low)
        self.delta_high = max(self.delta_high, delta + later.delta_high)
        self.trades += later.trades
        self.base_buy += later.base_buy
        self.base_sell += later.base_sell
        self.quote_buy += later.quote_buy
        self.quote_sell += later.quote_sell
        self.trade = [a + b for a, b in zip(self.trade, later.trade, strict=True)]
        self.order = [a + b for a, b in zip(self.order, later.order, strict=True)]

    def copy(self) -> "Bar":
        twin = Bar(self.time)
        twin.add(self)
        return twin


def roll_up(bars: Iterable[Bar], seconds: int) -> list[Bar]:
    """Bars in time order -> bars of `seconds` length, aligned to the epoch, in time order.

    Spans without a bar stay out. The roll-up of a roll-up equals the direct one.
    """
    result: list[Bar] = []
    origin = MONDAY if seconds == WEEK else 0
    for bar in bars:
        start = bar.time - (bar.time - origin) % seconds
        if not result or result[-1].time != start:
            result.append(Bar(start))
        result[-1].add(bar)
    return result


def newer_of(saved: dict[int, Bar], hot: dict[int, Bar]) -> dict[int, Bar]:
    """Both stores' bars of a span; of two versions the higher (revision, trades)."""
    bars = dict(saved)
    for time, bar in hot.items():
        other = bars.get(time)
        if other is None or (bar.revision, bar.trades) >= (other.revision, other.trades):
            bars[time] = bar
    return bars
