"""How the made-up trader decides: in visits of an hour or two, mostly with the takers' flow of the
last minutes, sometimes against it, with a stop and a target, and a little worse after a loss.

Everything is decided from the market's own past, so what a journal computes of it shows the same.
"""

import random
from dataclasses import dataclass

from simulator.accounts.records import Order
from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.sources.past import PastTrades
from simulator.sources.walk import HOUR_MS, Walks

MINUTE_MS = 60_000
FLOW_US = 5 * 60_000_000
# What is a flow at all: the takers' surplus, as a share of their turnover.
CLEAR = 0.04
# Hours (UTC) in which visits begin.
HOURS = (7, 8, 8, 9, 12, 13, 13, 14, 14, 15, 19, 20, 21, 22)
LONGEST_MS = 50 * MINUTE_MS
TRIES = 5
# How often a bad entry with the flow is seen to be one, and a good one against it is missed.
SEEN, MISSED = 0.7, 0.5


@dataclass
class Plan:
    """A round trip: prices in units of 1e-8, times in epoch ms; `entry` of the first fill."""

    market: str
    rules: Listing
    is_long: bool
    quantity: int
    entry: int
    stop: int
    target: int
    leaves_ms: int
    reason: str = "time"
    order: Order | None = None


class Habits:
    def __init__(self, rng: random.Random, walks: Walks) -> None:
        self.rng = rng
        self._walks = walks
        # losses in a row
        self.losses = 0

    def visits(self, opens_ms: int) -> list[int]:
        """When the trader sits down on a day."""
        if self.rng.random() < 0.25:
            return []
        hours = sorted({self.rng.choice(HOURS) for _ in range(self.rng.choice((1, 2, 2)))})
        return [opens_ms + hour * HOUR_MS + self.rng.randrange(20 * MINUTE_MS) for hour in hours]

    def direction(
        self, past: PastTrades | None, rules: Listing, time_ms: int, mind: str, *, may_short: bool
    ) -> bool | None:
        """Long or short by now; None: not now. `mind` is with, against or any."""
        flow = past.flow(time_ms * 1000 - FLOW_US, time_ms * 1000) if past is not None else 0.0
        if mind == "any" or past is None:
            is_long = not may_short or self.rng.random() < 0.55
        elif abs(flow) < CLEAR:
            return None
        else:
            is_long = (flow > 0) == (mind == "with")
        if not is_long and not may_short:
            return None
        later = self._walks.at(rules, time_ms + 20 * MINUTE_MS)
        is_good = (later > self._walks.at(rules, time_ms)) == is_long
        return None if self.rng.random() < self._hesitates(mind, is_good=is_good) else is_long

    def _hesitates(self, mind: str, *, is_good: bool) -> float:
        """How often an entry is left alone. With the flow there is some skill, less after a loss:
        what goes the wrong way at once is seen. Against it, what would have worked is not dared:
        this is the edge that the journal is to find."""
        if mind == "against":
            return MISSED if is_good else 0.0
        if is_good:
            return 0.0
        return SEEN / 2 if self.losses else SEEN

    def mind(self) -> str:
        return self.rng.choices(("with", "against", "any"), (55, 25, 20))[0]

    def value(self) -> int:
        """Of an order, in the quote; larger after a loss."""
        tilt = 1.4 if self.losses and self.rng.random() < 0.6 else 1.0
        return int(self.rng.lognormvariate(6.5, 0.7) * tilt) * UNIT

    def stop_and_target(self, rules: Listing, time_ms: int, price: int, is_long: bool) -> list[int]:
        """On the tick. After a loss the stop is wide and the target near."""
        walk = self._walks.of(rules.base)
        distance = price * walk.deviation(self._walks.hour(time_ms)) * self.rng.uniform(0.5, 0.9)
        reward = self.rng.uniform(0.8, 1.3) if self.losses else self.rng.uniform(1.2, 2.4)
        sign = 1 if is_long else -1
        wide = 1.3 if self.losses else 1.0
        prices = (price - sign * distance * wide, price + sign * distance * reward)
        return [max(rules.tick, int(value / rules.tick) * rules.tick) for value in prices]

    def learn(self, result: int) -> None:
        self.losses = self.losses + 1 if result < 0 else 0
