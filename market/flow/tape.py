"""From consecutive trades to 1 s bars: the one hot loop of the product.

The loop is long on purpose: a function call a trade would cost as much as the arithmetic.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from market.flow.bands import BANDS, BandSet
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.flow.trades import Trade

SECONDS_HELD_TOGETHER = 60


@dataclass(frozen=True)
class Sweep:
    """The taker order that is still open: it grows while T and side stay the same.

    `quote` is its sum so far, scaled by 1e-16; it is already counted in its present band.
    """

    time: int
    is_buyer_maker: bool
    quote: int


@dataclass(frozen=True)
class BigOrder:
    """A sweep that has ended and was at least `TapeBuilder.big_from` large. `price` is that of its
    last trade (1e-8), 0 when that is not known any more; `time` in the tape's ticks."""

    time: int
    is_buyer_maker: bool
    quote: int
    price: int


class MinuteNotHeld(Exception):
    """A trade belongs to a minute whose bars are not in memory; load it and apply from `index`."""

    def __init__(self, minute: int, index: int) -> None:
        super().__init__(f"bars of minute {minute} are not held")
        self.minute = minute
        self.index = index


class TapeBuilder:
    """Holds the 1 s bars of a few minutes and applies trades to them in id order.

    Minutes up to `newest_minute` exist in a store unless they are held; later ones are new.
    `changed` collects the seconds whose bars differ from what was last taken.
    """

    def __init__(
        self, bands: BandSet, ticks_per_second: int = 1_000_000, *, detail: Detail = Detail.FULL
    ) -> None:
        """`detail` of its rows: aggregates hide their single trades."""
        self.bands = bands
        self.ticks = ticks_per_second
        self.held: dict[int, dict[int, Bar]] = {}
        self.newest_minute = -1
        self.changed: set[int] = set()
        self.sweep: Sweep | None = None
        self.revision = 0
        self.detail = detail
        # sweeps of the third band's lower edge and more, for the tape of big orders
        self.big_from = bands.edges[2]
        self.big: list[BigOrder] = []
        self._last_price = 0

    def hold(self, minute: int, bars: dict[int, Bar]) -> None:
        """Take over a minute's 1 s bars, keyed by their open time in epoch seconds."""
        self.held[minute] = bars
        self.newest_minute = max(self.newest_minute, minute)

    def release(self, keep: int) -> None:
        """Forget all but the newest `keep` minutes; call it when nothing is changed."""
        for minute in sorted(self.held)[:-keep]:
            del self.held[minute]

    def break_sweep(self) -> None:
        """An unfillable hole ends the open sweep."""
        self.sweep = None

    def apply(self, trades: Sequence[Trade], start: int = 0) -> None:
        """Apply trades whose ids follow one another. Raises MinuteNotHeld before touching a trade
        of an unknown minute."""
        edges, ticks = self.bands.edges, self.ticks
        sweep_time, sweep_maker, sweep_quote = -1, False, 0
        if self.sweep is not None:
            sweep_time, sweep_maker = self.sweep.time, self.sweep.is_buyer_maker
            sweep_quote = self.sweep.quote
        second, bar = -1, Bar(0)
        last_price, big_from = self._last_price, self.big_from
        try:
            for index in range(start, len(trades)):
                trade = trades[index]
                if not trade.is_flow:
                    continue
                price, quantity = trade.price, trade.quantity
                time, maker = trade.time, trade.is_buyer_maker
                if time // ticks != second:
                    second = time // ticks
                    bar = self._bar(second, index)
                    bar.revision = self.revision
                    order_bands = bar.order
                    trade_bands = bar.order.copy() if bar.detail < Detail.FULL else bar.trade
                quote = price * quantity
                if trade.id <= bar.last_id:  # an import was here before us: it has this trade
                    is_same = time == sweep_time and maker == sweep_maker
                    sweep_quote = sweep_quote + quote if is_same else quote
                    sweep_time, sweep_maker = time, maker
                    continue
                if bar.trades:
                    if price > bar.high:
                        bar.high = price
                    elif price < bar.low:
                        bar.low = price
                else:
                    bar.open = bar.high = bar.low = price
                    bar.first_id = trade.id
                bar.close = price
                bar.last_id = trade.id
                bar.trades += 1
                band = bisect_right(edges, quote)
                trade_bands[2 * BANDS + band] += 1
                if maker:
                    bar.base_sell += quantity
                    bar.quote_sell += quote
                    delta = bar.quote_buy - bar.quote_sell
                    if delta < bar.delta_low:
                        bar.delta_low = delta
                    trade_bands[BANDS + band] += quote
                else:
                    bar.base_buy += quantity
                    bar.quote_buy += quote
                    delta = bar.quote_buy - bar.quote_sell
                    if delta > bar.delta_high:
                        bar.delta_high = delta
                    trade_bands[band] += quote
                side = BANDS if maker else 0
                if time == sweep_time and maker == sweep_maker:
                    was = bisect_right(edges, sweep_quote)
                    grown = bisect_right(edges, sweep_quote + quote)
                    if was == grown:
                        order_bands[side + was] += quote
                    else:  # the sweep outgrew its band: move what it had, with its count
                        order_bands[side + was] -= sweep_quote
                        order_bands[2 * BANDS + was] -= 1
                        order_bands[side + grown] += sweep_quote + quote
                        order_bands[2 * BANDS + grown] += 1
                    sweep_quote += quote
                else:
                    if sweep_quote >= big_from:
                        big = BigOrder(sweep_time, sweep_maker, sweep_quote, last_price)
                        self.big.append(big)
                    sweep_time, sweep_maker, sweep_quote = time, maker, quote
                    order_bands[side + band] += quote
                    order_bands[2 * BANDS + band] += 1
                last_price = price
        finally:
            self._last_price = last_price
            if sweep_time >= 0:
                self.sweep = Sweep(sweep_time, sweep_maker, sweep_quote)

    def _bar(self, second: int, index: int) -> Bar:
        minute = second - second % SECONDS_HELD_TOGETHER
        bars = self.held.get(minute)
        if bars is None:
            if minute <= self.newest_minute:
                raise MinuteNotHeld(minute, index)
            bars = self.held[minute] = {}
            self.newest_minute = minute
        bar = bars.get(second)
        if bar is None:
            bar = bars[second] = Bar(second)
            bar.detail = self.detail
        self.changed.add(second)
        return bar
