"""What a coin was worth and how busy its markets were, hour by hour and every five seconds.

Returns of an hour follow a GARCH(1,1), so calm and wild weeks alternate; days have their hours
(Asia's night is quiet, Europe's afternoon is not). Everything is made of `chance`, so that the same
hour is the same whenever it is asked for.
"""

import math
import threading
from collections import OrderedDict

import numpy as np

from simulator.listing import Listing
from simulator.sources.chance import Floats, Ints, chances, normals, seed_of

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAYS = 365
YEAR_HOURS = DAYS * 24
# Deviation of an hour's return, and how much of it comes from the last one and from before.
USUAL = 0.006
NEWS, MEMORY = 0.08, 0.90
# So many steps of a price within an hour: five seconds each.
STEPS = 720
PLACES = np.arange(STEPS + 1, dtype=np.float64)
REMEMBERED = 256
# Turnover by the hour of the day (UTC) against the mean of the day.
NIGHT = (0.95, 0.85, 0.80, 0.75, 0.70, 0.70, 0.75, 0.85, 0.95, 1.00, 1.00, 1.05)
DAY = (1.20, 1.45, 1.60, 1.55, 1.45, 1.25, 1.10, 1.00, 0.95, 0.90, 0.95, 1.00)
BY_HOUR = NIGHT + DAY


class Walk:
    """Of one coin. Hours count from the year's start; its end has the level (logarithm) 0."""

    def __init__(self, seed: int, base: str) -> None:
        self._seed = seed_of(f"walk {seed} {base}")
        self._levels = [0.0]
        self._deviations: list[float] = []
        self._variance = USUAL**2
        self._lock = threading.RLock()
        self._grow(YEAR_HOURS + 48)
        self._end = self._levels[YEAR_HOURS]
        self._fine: OrderedDict[int, Floats] = OrderedDict()

    def deviation(self, hour: int) -> float:
        """Of the hour's return."""
        self._grow(hour + 1)
        return self._deviations[hour]

    def activity(self, first: int, count: int) -> Floats:
        """How busy each of so many hours is; 1 is usual."""
        self._grow(first + count)
        deviations = np.array(self._deviations[first : first + count])
        wildness = np.clip(np.sqrt(deviations / USUAL), 0.3, 4.0)
        activity: Floats = np.array(BY_HOUR)[np.arange(first, first + count) % 24] * wildness
        return activity

    def steps(self, hour: int) -> Floats:
        """`STEPS + 1` levels, from the hour's first moment to its last."""
        with self._lock:
            fine = self._fine.get(hour)
            if fine is None:
                fine = self._fine[hour] = self._made_up(hour)
                if len(self._fine) > REMEMBERED:
                    self._fine.popitem(last=False)
            return fine

    def _made_up(self, hour: int) -> Floats:
        self._grow(hour + 1)
        opened, closed = self._levels[hour] - self._end, self._levels[hour + 1] - self._end
        bits = chances(hour * STEPS, STEPS, self._seed)
        fine = np.zeros(STEPS + 1)
        np.cumsum(normals(bits) * (self._deviations[hour] / math.sqrt(STEPS)), out=fine[1:])
        bridged: Floats = fine + opened + PLACES * ((closed - opened - fine[-1]) / STEPS)
        return bridged

    def _grow(self, hours: int) -> None:
        if len(self._deviations) < hours:
            with self._lock:
                self._go_on(hours)

    def _go_on(self, hours: int) -> None:
        first = len(self._deviations)
        count = max(hours - first, 24 * 30)
        for news in normals(chances(first, count, self._seed ^ np.uint64(1))).tolist():
            moved = math.sqrt(self._variance) * news
            self._levels.append(self._levels[-1] + moved)
            self._deviations.append(math.sqrt(self._variance))
            kept = USUAL**2 * (1 - NEWS - MEMORY)
            self._variance = kept + NEWS * moved**2 + MEMORY * self._variance


class Walks:
    """The walks of all coins from `start_ms` on, a midnight in UTC: spot and futures share them. A
    year later each is where its listing says that its market begins."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self.seed = seed
        self.start_ms = start_ms
        self._walks: dict[str, Walk] = {}

    def of(self, base: str) -> Walk:
        walk = self._walks.get(base)
        if walk is None:
            walk = self._walks[base] = Walk(self.seed, base)
        return walk

    def hour(self, time_ms: int) -> int:
        return (time_ms - self.start_ms) // HOUR_MS

    def at(self, rules: Listing, time_ms: int) -> int:
        """A price on the tick, in units of 1e-8."""
        hour, rest = divmod(time_ms - self.start_ms, HOUR_MS)
        level = float(self.levels(rules, hour, np.array([rest * 1000]))[0])
        return max(rules.tick, int(level / rules.tick) * rules.tick)

    def levels(self, rules: Listing, hour: int, times_us: Ints) -> Floats:
        """Prices at moments of an hour, counted from its beginning."""
        steps = self.of(rules.base).steps(hour)
        places = times_us.astype(np.float64) * (STEPS / (HOUR_MS * 1000.0))
        return rules.price * np.exp(np.interp(places, PLACES, steps))
