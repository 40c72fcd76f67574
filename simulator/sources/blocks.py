"""An hour of a made-up market, as columns of its aggregates, oldest first.

What a market looks like, and where that is taken from (Lillo and Farmer 2004; Bouchaud, Farmer and
Lillo 2009; Cont 2001): takers' sides have a long memory, since large orders are worked off in
pieces; prices go where the takers push; sizes are heavy-tailed; trades come in clusters; some
orders sweep several prices at one time.
"""

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.sources.chance import Bits, Floats, Ints, chances, mixed, part, seed_of, shares
from simulator.sources.makers import quote_scale
from simulator.sources.walk import STEPS, Walk, Walks

HOUR_US = 3_600_000_000
MINUTES = 60
# Single trades of the aggregates with ids 1, 2, 3 …, again and again: so both id spaces are known
# without a look at what lies before. Futures' aggregates (100 ms) hold more.
PARTS = {
    "spot": (1, 1, 2, 1, 1, 1, 3, 1, 1, 2, 1, 1, 1, 1, 1, 1),
    "usdm": (1, 2, 1, 1, 3, 1, 2, 1, 1, 4, 1, 1, 2, 1, 1, 3),
}
# Aggregates an hour on a usual day; unknown symbols are quieter.
AN_HOUR = {"BTC": 1500, "ETH": 1200, "SOL": 900, "BNB": 600}
FEW_AN_HOUR = 400
# One aggregate of so many goes on with the order of the one before, a price further.
SWEEPS = 8
# Aggregates over which takers are of one mind, and how much each such mood weighs.
MOODS = ((5, 0.28), (40, 0.18), (300, 0.12))
# How far a minute's return (in its own deviations) turns the takers.
PUSH = 0.13
_rng = random.Random("values of the past")
VALUES = np.array([min(_rng.lognormvariate(6.2, 1.9), 2_000_000.0) for _ in range(4096)])

Flags = npt.NDArray[np.bool_]


class Block(NamedTuple):
    """Aggregates of an hour: epoch us, prices in ticks, quantities in steps, whether the buyer was
    the maker, single trades each, and whether they go on with the order before."""

    times: Ints
    prices: Ints
    quantities: Ints
    makers: Flags
    parts: Ints
    goes_on: Flags

    def part(self, begin: int, end: int) -> "Block":
        return Block(
            self.times[begin:end],
            self.prices[begin:end],
            self.quantities[begin:end],
            self.makers[begin:end],
            self.parts[begin:end],
            self.goes_on[begin:end],
        )


class Blocks:
    """Makes them up; how many there are in each hour is known without that."""

    def __init__(self, rules: Listing, walks: Walks) -> None:
        self.rules = rules
        self._walks = walks
        self._walk: Walk = walks.of(rules.base)
        self._start_us = walks.start_ms * 1000
        self._seed = seed_of(f"past {walks.seed} {rules.market} {rules.symbol}")
        self._scale = quote_scale(rules.quote)
        self.parts = np.array(PARTS[rules.market], dtype=np.int64)

    def counts(self, first: int, hours: int) -> Ints:
        """Aggregates of each of so many hours."""
        usual = AN_HOUR.get(self.rules.base, FEW_AN_HOUR) * self._walk.activity(first, hours)
        chance = shares(chances(first, hours, self._seed ^ np.uint64(2)))
        counts: Ints = np.maximum(60, (usual * (0.7 + 0.6 * chance)).astype(np.int64))
        return counts

    def make(self, hour: int, first_agg: int, count: int) -> Block:
        rules = self.rules
        bits = chances(first_agg, count, self._seed)
        more = mixed(bits ^ np.uint64(3))
        goes_on = part(more, 0, SWEEPS) == 0
        goes_on[0] = False
        numbers = np.arange(count)
        order = np.maximum.accumulate(np.where(goes_on, 0, numbers))
        times = self._times(hour, bits)[order]
        is_buy = self._sides(hour, first_agg, times, bits)[order]
        prices = self._prices(hour, times, more[order], is_buy)
        prices += np.where(is_buy, 1, -1) * (numbers - order) * (1 + part(more[order], 3, 2))
        np.maximum(prices, 1, out=prices)
        parts = self.parts[(first_agg - 1 + numbers) % len(self.parts)]
        in_ticks = self._scale * UNIT / rules.tick * UNIT / rules.step
        wanted = VALUES[part(bits, 52, 4096)] * in_ticks
        quantities = np.maximum(parts, (wanted / prices).astype(np.int64))
        opens = self._start_us + hour * HOUR_US
        return Block(opens + times, prices, quantities, ~is_buy, parts, goes_on)

    def pieces(self, block: Block, first_agg: int) -> tuple[Ints, Ints]:
        """Single trades of a block: the place of each one's aggregate, and its quantity."""
        count = len(block.times)
        more = mixed(chances(first_agg, count, self._seed ^ np.uint64(4)))
        places = np.repeat(np.arange(count), block.parts)
        starts = np.cumsum(block.parts) - block.parts
        quantities = block.quantities[places]
        left = block.quantities.copy()
        for number in range(int(block.parts.max(initial=1)) - 1):
            behind = block.parts - 1 - number
            is_split = behind > 0
            share = left * (15 + part(more, 8 * number, 64)) // 100
            piece = np.clip(share, 1, np.maximum(1, left - behind))
            quantities[starts[is_split] + number] = piece[is_split]
            left = np.where(is_split, left - piece, left)
        quantities[starts + block.parts - 1] = left
        return places, quantities

    def _times(self, hour: int, bits: Bits) -> Ints:
        """Within the hour, some minutes busier than others."""
        weights = 0.4 + 1.2 * shares(chances(hour * MINUTES, MINUTES, self._seed ^ np.uint64(5)))
        edges = np.concatenate(([0.0], np.cumsum(weights**2)))
        moments = np.sort(shares(bits)) * edges[-1]
        within = np.interp(moments, edges, np.arange(MINUTES + 1) * (HOUR_US / MINUTES))
        times: Ints = np.minimum(within.astype(np.int64), HOUR_US - 1)
        return times

    def _sides(self, hour: int, first_agg: int, times: Ints, bits: Bits) -> Flags:
        chance = np.full(len(bits), 0.5)
        for length, weight in MOODS:
            first, last = first_agg // length, (first_agg + len(bits)) // length
            moods = shares(chances(first, last - first + 1, self._seed ^ np.uint64(length << 8)))
            skipped = first_agg - first * length
            chance += np.repeat(weight * (2.0 * moods - 1.0), length)[skipped:][: len(bits)]
        levels = self._walk.steps(hour)[:: STEPS // MINUTES]
        usual = self._walk.deviation(hour) / MINUTES**0.5
        pushes = np.tanh(np.diff(levels) / usual)
        chance += PUSH * pushes[times // (HOUR_US // MINUTES)]
        return shares(mixed(bits ^ np.uint64(6))) < chance

    def _prices(self, hour: int, times: Ints, more: Bits, is_buy: Flags) -> Ints:
        """In ticks: takers buy at the ask and sell at the bid, mostly a tick below it."""
        levels: Floats = self._walks.levels(self.rules, hour, times)
        levels = levels * (1.0 + (part(more, 8, 512) - 256) * 1e-8)
        bids = (levels / self.rules.tick).astype(np.int64)
        return bids + np.where(is_buy, 1 + (part(more, 20, 8) == 0), 0)
