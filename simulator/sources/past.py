"""What a market traded before its tape begins, on an exchange with a year behind it.

Made up an hour at a time when it is asked for, and always the same: nothing is stored, and accounts
change nothing in it (what they traded then was a part of trades that are there anyway). Trades,
aggregates, candles of every length and the files of the archive are all drawn from these hours.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from simulator.klines import HOUR_US, Kline
from simulator.listing import Listing
from simulator.sources.blocks import Block, Blocks, Flags
from simulator.sources.chance import Ints
from simulator.sources.walk import Walks
from simulator.tape import AggTrade, Trade

# So many hours are remembered.
REMEMBERED = 48
# Columns of sums: prices in ticks, amounts in steps and in ticks x steps.
OPEN, HIGH, LOW, CLOSE, BASE, QUOTE, TAKER_BASE, TAKER_QUOTE = range(8)
# One stretch at a time: threads share one interpreter, and the exchange lives in it too.
WARMING = threading.Lock()


class PastTrades:
    """Trades 1 to `last_id` in aggregates 1 to `last_agg`; both 0 until `end_before` was called."""

    def __init__(self, rules: Listing, walks: Walks) -> None:
        self.rules = rules
        self.start_us = walks.start_ms * 1000
        self.last_agg = self.last_id = 0
        # time of the last trade
        self.end_us = self.start_us
        self._blocks = Blocks(rules, walks)
        self._lock = threading.RLock()
        self._parts = np.cumsum(self._blocks.parts)
        # first aggregate of each hour, and of the one behind the last
        self._firsts = [1]
        self._made: OrderedDict[int, Block] = OrderedDict()
        self._hours: dict[int, Ints] = {}

    # --- where it ends --------------------------------------------------------------------------

    def end_before(self, now_us: int) -> None:
        """The last order that was over before a moment is the past's last."""
        hour = self._hour(now_us)
        block = self._block(hour)
        count = int(np.searchsorted(block.times, now_us))
        while 0 < count < len(block.times) and block.goes_on[count]:
            count -= 1
        self._end(self._first_agg(hour) + count - 1)

    def end_with(self, last_id: int) -> bool:
        """As it did before a restart; False when it never can have."""
        agg_id = self.agg_of(last_id)
        if agg_id < 1 or self._trades_until(agg_id) != last_id:
            return False
        self._end(agg_id)
        return True

    def _end(self, last_agg: int) -> None:
        self.last_agg, self.last_id = last_agg, self._trades_until(last_agg)
        self._made.clear()
        self._hours.clear()
        self.end_us = self.at(self.last_id).time if self.last_id else self.start_us

    # --- ids ------------------------------------------------------------------------------------

    def agg_of(self, trade_id: int) -> int:
        rounds, rest = divmod(trade_id - 1, int(self._parts[-1]))
        return rounds * len(self._parts) + int(np.searchsorted(self._parts, rest, "right")) + 1

    def first_of_agg(self, agg_id: int) -> int:
        """Id of an aggregate's first trade."""
        return self._trades_until(agg_id - 1) + 1

    def _trades_until(self, agg_id: int) -> int:
        """Id of an aggregate's last trade."""
        rounds, rest = divmod(agg_id, len(self._parts))
        return rounds * int(self._parts[-1]) + (int(self._parts[rest - 1]) if rest else 0)

    def first_at_or_after(self, time_us: int) -> int:
        """`last_id + 1` when there is none."""
        if time_us <= self.start_us:
            return 1
        if time_us > self.end_us:
            return self.last_id + 1
        hour = self._hour(time_us)
        place = int(np.searchsorted(self._block(hour).times, time_us))
        return self.first_of_agg(self._first_agg(hour) + place)

    # --- rows -----------------------------------------------------------------------------------

    def at(self, trade_id: int) -> Trade:
        [trade] = self.between(trade_id, trade_id)
        return trade

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]:
        """Trades first_id..last_id, as far as there are any."""
        first_id, last_id = max(1, first_id), min(last_id, self.last_id)
        if first_id > last_id:
            return
        first, last = self.agg_of(first_id), self.agg_of(last_id)
        for hour, block in self._stretch(first, last):
            for trade in self._trades(hour, block, first, last):
                if first_id <= trade.id <= last_id:
                    yield trade

    def aggregates(self, first_agg: int, last_agg: int) -> Iterator[AggTrade]:
        """Whole aggregates, as far as there are any."""
        first_agg, last_agg = max(1, first_agg), min(last_agg, self.last_agg)
        for hour, block in self._stretch(first_agg, last_agg):
            opens = self._first_agg(hour)
            begin = max(0, first_agg - opens)
            agg_id = opens + begin
            trade_id = self.first_of_agg(agg_id)
            chosen = block.part(begin, last_agg - opens + 1)
            for time, ticks, steps, is_maker, parts in zip(
                *(column.tolist() for column in chosen[:5]), strict=True
            ):
                price, quantity = ticks * self.rules.tick, steps * self.rules.step
                last = trade_id + parts - 1
                yield AggTrade(agg_id, price, quantity, trade_id, last, time, is_maker)
                agg_id, trade_id = agg_id + 1, last + 1

    def match(self, time_us: int, quantity: int, *, is_buyer_maker: bool) -> list[Trade]:
        """The trades of the first aggregate from a moment on that is as large as `quantity` and has
        that side; nothing when there is none within two hours."""
        steps = -(-quantity // self.rules.step)
        hour = self._hour(time_us)
        for later in range(hour, hour + 2):
            block = self._block(later)
            is_fit = (block.makers == is_buyer_maker) & (block.quantities >= steps)
            is_fit &= block.times >= time_us
            place = int(is_fit.argmax()) if len(is_fit) else 0
            if len(is_fit) and is_fit[place]:
                agg_id = self._first_agg(later) + place
                return list(self.between(self.first_of_agg(agg_id), self._trades_until(agg_id)))
        return []

    def flow(self, start_us: int, end_us: int) -> float:
        """What takers bought above what they sold between two moments, as a share of all."""
        bought = sold = 0
        for hour in range(self._hour(start_us), self._hour(end_us) + 1):
            block = self._block(hour)
            chosen = slice(*np.searchsorted(block.times, (start_us, end_us)).tolist())
            quotes = block.prices[chosen] * block.quantities[chosen]
            sold += int(quotes[block.makers[chosen]].sum())
            bought += int(quotes[~block.makers[chosen]].sum())
        return (bought - sold) / (bought + sold) if bought + sold else 0.0

    def first_touch(
        self, start_us: int, end_us: int, low: int, high: int
    ) -> tuple[bool, int] | None:
        """When a price between two moments was first at or beyond one of two prices: whether at
        the low one, and the time."""
        for hour in range(self._hour(start_us), self._hour(end_us) + 1):
            block = self._block(hour)
            begin, end = np.searchsorted(block.times, (start_us, end_us), "right").tolist()
            prices = block.prices[begin:end] * self.rules.tick
            touched = np.flatnonzero((prices <= low) | (prices >= high))
            if len(touched):
                place = int(touched[0])
                return bool(prices[place] <= low), int(block.times[begin + place])
        return None

    def columns(self, time_us: int, *, by_aggregate: bool) -> dict[str, Ints | Flags]:
        """The hour of a moment, for a file: `ids times ticks steps makers`, of aggregates also
        `firsts lasts` (ids of their trades)."""
        hour = self._hour(time_us)
        block, opens = self._block(hour), self._first_agg(hour)
        if by_aggregate:
            lasts = self.first_of_agg(opens) + np.cumsum(block.parts) - 1
            return {
                "ids": np.arange(opens, opens + len(lasts)),
                "times": block.times,
                "ticks": block.prices,
                "steps": block.quantities,
                "makers": block.makers,
                "firsts": lasts - block.parts + 1,
                "lasts": lasts,
            }
        places, quantities = self._blocks.pieces(block, opens)
        first = self.first_of_agg(opens)
        return {
            "ids": np.arange(first, first + len(places)),
            "times": block.times[places],
            "ticks": block.prices[places],
            "steps": quantities,
            "makers": block.makers[places],
        }

    def _trades(self, hour: int, block: Block, first: int, last: int) -> Iterator[Trade]:
        """Those of the block's aggregates first..last."""
        opens = self._first_agg(hour)
        begin, end = max(0, first - opens), min(len(block.times), last - opens + 1)
        chosen = block.part(begin, end)
        places, quantities = self._blocks.pieces(chosen, opens + begin)
        trade_id = self.first_of_agg(opens + begin)
        tick, step = self.rules.tick, self.rules.step
        times, prices, makers = (c.tolist() for c in (chosen.times, chosen.prices, chosen.makers))
        for place, steps in zip(places.tolist(), quantities.tolist(), strict=True):
            price, agg_id = prices[place] * tick, opens + begin + place
            yield Trade(trade_id, price, steps * step, times[place], makers[place], agg_id)
            trade_id += 1

    # --- candles --------------------------------------------------------------------------------

    def sums(self, start_us: int, end_us: int, grain_us: int) -> Iterator[Kline]:
        """Candles of a second, a minute or an hour that have trades, between two of their opening
        times (the second one inclusive), oldest first."""
        start_us = max(start_us, self.start_us)
        end_us = min(end_us, self.end_us)
        if end_us < start_us:
            return
        for hour in range(self._hour(start_us), self._hour(end_us) + 1):
            if grain_us == HOUR_US:
                kline = self._hour_kline(hour)
                if kline is not None:
                    yield kline
                continue
            opens = self.start_us + hour * HOUR_US
            first = max(start_us, opens)
            for kline in self._klines(hour, first, min(end_us, opens + HOUR_US - 1), grain_us):
                yield kline

    def close_before(self, time_us: int) -> int:
        """The last price before a moment; 0 where there was none."""
        trade_id = self.first_at_or_after(time_us)
        return self.at(trade_id - 1).price if trade_id > 1 else 0

    def warm(self, start_us: int, end_us: int) -> None:
        """Sum up a stretch's hours now, in a thread: a year takes seconds the first time. Who asks
        meanwhile waits for it instead of summing up the same beside it."""
        end_us = min(end_us, self.end_us)
        if start_us > end_us:
            return
        with WARMING:
            for hour in range(self._hour(start_us), self._hour(end_us) + 1):
                self._hour_kline(hour)

    def _hour_kline(self, hour: int) -> Kline | None:
        kline = self._hours.get(hour)
        first = self._first_agg(hour)
        last = min(self._first_agg(hour + 1) - 1, self.last_agg)
        if first > last:
            return None
        if kline is None:
            block = self._block(hour)
            kline = self._hours[hour] = _sums(block, np.array([0]))[:, 0]
        return self._kline(self.start_us + hour * HOUR_US, HOUR_US, first, last, kline.tolist())

    def _klines(self, hour: int, start_us: int, end_us: int, grain_us: int) -> Iterator[Kline]:
        block, first = self._block(hour), self._first_agg(hour)
        if not len(block.times):
            return
        buckets = block.times // grain_us
        begins = np.flatnonzero(np.concatenate(([True], buckets[1:] != buckets[:-1])))
        chosen = buckets[begins] * grain_us
        begins_list, sums = begins.tolist(), _sums(block, begins).T.tolist()
        edges = pairwise([*begins_list, len(block.times)])
        for opens, (begin, end), row in zip(chosen.tolist(), edges, sums, strict=True):
            if opens > end_us:
                return
            if opens >= start_us:
                yield self._kline(opens, grain_us, first + begin, first + end - 1, row)

    def _kline(
        self, opens_us: int, length_us: int, first_agg: int, last_agg: int, row: list[int]
    ) -> Kline:
        tick, step = self.rules.tick, self.rules.step
        first_id, last_id = self.first_of_agg(first_agg), self._trades_until(last_agg)
        return Kline(
            opens_us,
            opens_us + length_us - 1,
            first_id,
            last_id,
            row[OPEN] * tick,
            row[HIGH] * tick,
            row[LOW] * tick,
            row[CLOSE] * tick,
            row[BASE] * step,
            row[QUOTE] * tick * step,
            last_id - first_id + 1,
            row[TAKER_BASE] * step,
            row[TAKER_QUOTE] * tick * step,
        )

    # --- hours ----------------------------------------------------------------------------------

    def _hour(self, time_us: int) -> int:
        return max(0, (time_us - self.start_us) // HOUR_US)

    def _first_agg(self, hour: int) -> int:
        with self._lock:
            known = len(self._firsts) - 1
            if known < hour:
                counts = self._blocks.counts(known, hour - known)
                self._firsts += (self._firsts[-1] + np.cumsum(counts)).tolist()
        return self._firsts[hour]

    def _hour_of_agg(self, agg_id: int) -> int:
        hour = bisect_right(self._firsts, agg_id) - 1
        while self._first_agg(hour + 1) <= agg_id:
            hour += 1
        return hour

    def _stretch(self, first_agg: int, last_agg: int) -> Iterator[tuple[int, Block]]:
        """The hours that hold aggregates first..last."""
        if first_agg > last_agg:
            return
        hour = self._hour_of_agg(first_agg)
        while self._first_agg(hour) <= last_agg:
            yield hour, self._block(hour)
            hour += 1

    def _block(self, hour: int) -> Block:
        with self._lock:  # files are made beside the event loop
            block = self._made.get(hour)
            if block is None:
                first = self._first_agg(hour)
                block = self._blocks.make(hour, first, self._first_agg(hour + 1) - first)
                if self.last_agg:
                    block = block.part(0, max(0, self.last_agg - first + 1))
                self._made[hour] = block
                if len(self._made) > REMEMBERED:
                    self._made.popitem(last=False)
            return block


def _sums(block: Block, begins: Ints) -> Ints:
    """Rows of `OPEN` … `TAKER_QUOTE`, a column for each stretch that begins at one of `begins`."""
    prices, quantities = block.prices, block.quantities
    takers: Flags = ~block.makers
    quotes = prices * quantities
    ends = np.concatenate((begins[1:], [len(prices)])) - 1
    return np.array(
        [
            prices[begins],
            np.maximum.reduceat(prices, begins),
            np.minimum.reduceat(prices, begins),
            prices[ends],
            np.add.reduceat(quantities, begins),
            np.add.reduceat(quotes, begins),
            np.add.reduceat(quantities * takers, begins),
            np.add.reduceat(quotes * takers, begins),
        ]
    )
