"""What a spot market traded before its tape begins, on an exchange with a year behind it.

One trade a second, made up when it is asked for and always the same: prices are those of the year,
sizes as heavy-tailed as a live market's, and for minutes on end buyers or sellers are the keener
ones. What the accounts traded in that year lies between them under its own ids.
"""

import random
from collections import OrderedDict
from collections.abc import Iterator
from itertools import compress
from operator import mul
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from simulator.amounts import UNIT
from simulator.klines import Kline
from simulator.listing import Listing
from simulator.sources.makers import quote_scale
from simulator.tape import Trade

STEP_US = 1_000_000
# Trades a minute; an order of several parts uses up ids of the seconds after it, so many at most.
MINUTE, AHEAD = 60, 8
# For so many trades (three minutes) the takers are of one mind.
MOOD_TRADES = 180
# So many trades (whole minutes) are made up together, and so many such blocks remembered.
BLOCK, REMEMBERED = 3_600, 48
_rng = random.Random("values of the past")
VALUES = np.array([min(_rng.lognormvariate(5.2, 2.1), 2_000_000.0) for _ in range(4096)])

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.uint64]


class Levels(Protocol):
    """Prices of the year; `start_ms` its first moment."""

    start_ms: int

    def levels(self, rules: Listing, times_ms: npt.NDArray[np.int64]) -> Floats: ...


class Block(NamedTuple):
    """Columns of the trades of one block: epoch us, units of 1e-8."""

    times: list[int]
    prices: list[int]
    quantities: list[int]
    makers: list[bool]


class PastTrades:
    """Ids 1 to `last_id`, by time; every trade is an aggregate of its own with the same id."""

    def __init__(self, rules: Listing, prices: Levels, last_id: int) -> None:
        self.rules = rules
        self.last_id = last_id
        # trades of accounts, by id
        self.own: dict[int, Trade] = {}
        self._prices = prices
        self._start_us = prices.start_ms * 1000
        self._seed = np.uint64(random.Random(f"past {rules.symbol}").getrandbits(64))
        self._scale = quote_scale(rules.quote)
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    def id_at(self, time_us: int) -> int:
        """Id of the second that holds a moment."""
        return max(1, 1 + (time_us - self._start_us) // STEP_US)

    def first_at_or_after(self, time_us: int) -> int:
        """`last_id + 1` when there is none."""
        trade_id = min(self.id_at(time_us), self.last_id + 1)
        # parts of an account's order have ids of the seconds after theirs
        while trade_id > 1 and self.at(trade_id - 1).time >= time_us:
            trade_id -= 1
        while trade_id <= self.last_id and self.at(trade_id).time < time_us:
            trade_id += 1
        return trade_id

    def at(self, trade_id: int) -> Trade:
        own = self.own.get(trade_id)
        if own is not None:
            return own
        number, index = divmod(trade_id - 1, BLOCK)
        block = self._block(number)
        return Trade(
            trade_id,
            block.prices[index],
            block.quantities[index],
            block.times[index],
            block.makers[index],
            trade_id,
        )

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]:
        for trade_id in range(max(1, first_id), min(last_id, self.last_id) + 1):
            yield self.at(trade_id)

    def minutes(self, start_us: int, end_us: int) -> Iterator[Kline]:
        """Candles of the whole minutes from `start_us` on, as far as they lie before the tape: the
        sums of their trades."""
        start_us = max(start_us, self._start_us)
        while start_us <= end_us:
            first = self.id_at(start_us)
            last = first + MINUTE - 1
            if last > self.last_id:
                return
            yield self._minute(start_us, first, last)
            start_us += MINUTE * STEP_US

    def _minute(self, start_us: int, first: int, last: int) -> Kline:
        kline = Kline(start_us, start_us + MINUTE * STEP_US - 1)
        around = (first - AHEAD, last + AHEAD)
        if any(trade_id in self.own for trade_id in range(around[0], around[1] + 1)):
            for trade in self.between(*around):
                if start_us <= trade.time <= kline.close_time:
                    kline.add(trade)
            return kline
        number, index = divmod(first - 1, BLOCK)
        block, part = self._block(number), slice(index, index + MINUTE)
        prices, quantities = block.prices[part], block.quantities[part]
        quotes = list(map(mul, prices, quantities))
        takers = [not is_maker for is_maker in block.makers[part]]
        kline.first_id, kline.last_id, kline.trades = first, last, MINUTE
        kline.open, kline.close = prices[0], prices[-1]
        kline.high, kline.low = max(prices), min(prices)
        kline.base, kline.quote = sum(quantities), sum(quotes)
        kline.taker_base = sum(compress(quantities, takers))
        kline.taker_quote = sum(compress(quotes, takers))
        return kline

    def _block(self, number: int) -> Block:
        found = self._blocks.get(number)
        if found is None:
            found = self._blocks[number] = self._made_up(number)
            if len(self._blocks) > REMEMBERED:
                self._blocks.popitem(last=False)
        return found

    def _made_up(self, number: int) -> Block:
        rules = self.rules
        ids = np.arange(number * BLOCK + 1, (number + 1) * BLOCK + 1, dtype=np.uint64)
        chance = _mixed(ids ^ self._seed)
        mood = _part(_mixed((ids // np.uint64(MOOD_TRADES)) ^ self._seed), 0, 500) - 250
        opens = self._start_us + (ids.astype(np.int64) - 1) * STEP_US
        noise = (_part(chance, 24, 601) - 300) / 1_000_000
        levels = self._prices.levels(rules, opens // 1000) * (1 + noise)
        prices = np.maximum(1, (levels / rules.tick).astype(np.int64)) * rules.tick
        wanted = VALUES[_part(chance, 52, 4096)] * (self._scale * UNIT) / prices * UNIT
        steps = np.maximum(1, (wanted / rules.step).astype(np.int64))
        return Block(
            (opens + _part(chance, 0, STEP_US * 4 // 5)).tolist(),
            prices.tolist(),
            (steps * rules.step).tolist(),
            (_part(chance, 40, 1000) >= 500 + mood).tolist(),
        )


def _part(chance: Ids, shift: int, count: int) -> npt.NDArray[np.int64]:
    """A number below `count` from the bits above `shift`."""
    return ((chance >> np.uint64(shift)) % np.uint64(count)).astype(np.int64)


def _mixed(numbers: Ids) -> Ids:
    """64 bits that look like chance (splitmix64, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
