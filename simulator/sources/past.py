"""What a spot market traded before its tape begins, on an exchange with a year behind it.

One trade every half second, made up when it is asked for and always the same: prices are those of
the year, sizes as heavy-tailed as a live market's, and for minutes on end buyers or sellers are the
keener ones. What the accounts traded in that year lies between them under its own ids.
"""

import random
from collections.abc import Iterator
from typing import Protocol

from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.sources.makers import quote_scale
from simulator.tape import Trade

STEP_US = 500_000
# For so many trades (three minutes) the takers are of one mind.
MOOD_TRADES = 360
MASK = 2**64 - 1
_rng = random.Random("values of the past")
VALUES = tuple(int(min(_rng.lognormvariate(5.2, 2.1), 2_000_000.0) * UNIT) for _ in range(4096))


class Levels(Protocol):
    """Prices of the year; `start_ms` its first moment."""

    start_ms: int

    def level(self, rules: Listing, time_ms: int) -> float: ...


class PastTrades:
    """Ids 1 to `last_id`, by time; every trade is an aggregate of its own with the same id."""

    first_id = 1

    def __init__(self, rules: Listing, prices: Levels, last_id: int) -> None:
        self.rules = rules
        self.last_id = last_id
        # trades of accounts, by id
        self.own: dict[int, Trade] = {}
        self._prices = prices
        self._start_us = prices.start_ms * 1000
        self._seed = random.Random(f"past {rules.symbol}").getrandbits(64)
        self._scale = quote_scale(rules.quote)

    def id_at(self, time_us: int) -> int:
        """Id of the half second that holds a moment."""
        return max(1, 1 + (time_us - self._start_us) // STEP_US)

    def first_at_or_after(self, time_us: int) -> int:
        """`last_id + 1` when there is none."""
        trade_id = min(self.id_at(time_us), self.last_id + 1)
        # accounts' trades may be a little later than their half second
        while trade_id > 1 and self.at(trade_id - 1).time >= time_us:
            trade_id -= 1
        while trade_id <= self.last_id and self.at(trade_id).time < time_us:
            trade_id += 1
        return trade_id

    def between(self, first_id: int, last_id: int) -> Iterator[Trade]:
        for trade_id in range(max(1, first_id), min(last_id, self.last_id) + 1):
            yield self.at(trade_id)

    def at(self, trade_id: int) -> Trade:
        own = self.own.get(trade_id)
        if own is not None:
            return own
        rules, chance = self.rules, _mixed(trade_id ^ self._seed)
        opens = self._start_us + (trade_id - 1) * STEP_US
        time_us = opens + chance % (STEP_US * 4 // 5)
        noise = ((chance >> 24) % 601 - 300) / 1_000_000
        price = int(self._prices.level(rules, opens // 1000) * (1 + noise))
        price = max(rules.tick, price // rules.tick * rules.tick)
        mood = _mixed(trade_id // MOOD_TRADES ^ self._seed) % 500 - 250
        is_buy = (chance >> 40) % 1000 < 500 + mood
        value = int(VALUES[chance >> 52] * self._scale)
        quantity = max(rules.step, value * UNIT // price // rules.step * rules.step)
        return Trade(trade_id, price, quantity, time_us, not is_buy, trade_id)


def _mixed(number: int) -> int:
    """64 bits that look like chance (splitmix64, Steele, Lea and Flood 2014)."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & MASK
    return number ^ number >> 31
