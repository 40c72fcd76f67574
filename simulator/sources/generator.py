"""A market that looks like one: bursts and wild hours, heavy-tailed sizes, sweeps that share one
time, takers whose side has a memory (large orders are worked off in pieces: Lillo, Mike and Farmer
2005), an impact that grows with the root of an order's size, and makers who refill behind it."""

import math
import random
from collections.abc import Sequence

from simulator.amounts import UNIT
from simulator.book import Book
from simulator.listing import Listing
from simulator.sources.events import Best, Event, Liquidation, Mark
from simulator.sources.makers import Makers, quote_scale
from simulator.sources.walk import BY_HOUR
from simulator.tape import INSURANCE_FUND, Row

BOOK_EVERY_US = 100_000
# A pace that this machine cannot keep falls behind instead of stopping everything else.
ORDERS_AT_ONCE = 1_000
# A taker goes no further than this share of the price; the rest of the order is not sent.
REACH = 0.0005
# Deviation of the price in a second on a usual day, and what an order of IMPACT_OF moves it by.
DEVIATION = 6e-5
IMPACT, IMPACT_OF = 1.5e-5, 10_000.0
# Wild and calm half hours: how fast the logarithm of the activity wanders.
WANDERS, FORGETS_SECONDS = 0.02, 1800.0
# How fast a price that ran away comes back to where its market began.
RETURNS_SECONDS = 6 * 3600.0
FUNDING_EVERY_US = 8 * 3600 * 1_000_000


class Generated:
    """Taker orders that eat the makers' book; every trade happens at a level that stood there."""

    def __init__(
        self,
        rules: Listing,
        seed: int,
        price: int | None = None,
        pace: float = 1.0,
        first_id: int = 1_000_001,
    ) -> None:
        self.rules = rules
        self.first_id = first_id
        self.seed = seed
        start = price or rules.price
        self.rng = random.Random(f"{seed}:{rules.market}:{rules.symbol}:{price}")
        self.book = Book()
        self._makers = Makers(self.book, rules, self.rng)
        self._anchor = start
        self._fair = float(start)
        self._drift = 0.0
        self._heat = 1.0
        self._slow = 0.0
        self._settled_us = 0
        # what takers of the moment are up to (-1 sells … 1 buys), and for how many orders yet
        self._mood = 0.0
        self._mood_left = 0
        self._pace = pace
        # for a time, as a test asks for it
        self.hurry = 1.0
        self._regime_ends = 0
        self.is_halted = False
        self._next: int | None = None
        self._book_due = 0
        self._best = (0, 0, 0, 0)
        start -= start % rules.tick
        self._makers.quote(start, start + rules.tick)
        self.book.take_change(0)

    def begun_at(self, price: int) -> "Generated":
        """The same market where another one ended, before its first trade."""
        return Generated(self.rules, self.seed, price, self._pace, self.first_id)

    def calm(self, share: float) -> None:
        """So much of the usual pace."""
        self._pace *= share

    def time(self, now_us: int) -> int:
        return now_us

    def advance(self, now_us: int) -> list[Event]:
        """Everything that falls due up to now, oldest first."""
        events: list[Event] = []
        if self._next is None or self.is_halted:
            self._next = now_us + self.is_halted
        for _ in range(ORDERS_AT_ONCE):
            if self._next > now_us:
                break
            self._change_regime(self._next)
            events += self._order(self._next)
            events += self._best_change()
            usual = self.rules.orders_per_second * self._pace
            rate = usual * self._activity(self._next) * self.hurry
            self._next += max(1, int(self.rng.expovariate(rate) * 1_000_000))
        if now_us >= self._book_due:
            self._book_due = now_us // BOOK_EVERY_US * BOOK_EVERY_US + BOOK_EVERY_US
            change = self.book.take_change(now_us)
            if change is not None:
                events.append(change)
        return events

    def take(self, is_buy: bool, quantity: int, limit: int, now_us: int) -> list[Row]:
        """A client's taker order: it eats the book up to a price (0: whatever it costs). Where the
        market is behind it trades at the market's time: ids and times go one way."""
        book = self.book
        if self._next is not None:
            now_us = min(now_us, self._next)
        side, change = (book.asks, book.set_ask) if is_buy else (book.bids, book.set_bid)
        rows: list[Row] = []
        while quantity > 0 and len(side.prices) > 1:
            price = side.prices[0] if is_buy else side.prices[-1]
            if limit and (price > limit if is_buy else price < limit):
                break
            part = min(quantity, side.sizes[price])
            rows.append(Row(price, part, now_us, not is_buy))
            quantity -= part
            change(price, side.sizes[price] - part)
        if rows:
            self._settle(now_us, is_buy, rows)
        return rows

    def mark(self, now_us: int) -> Mark:
        """Mark and index price follow the mid; the rate stands for the whole eight hours."""
        mid = (self.book.best_bid + self.book.best_ask) // 2
        index = mid - mid * (mid - self._anchor) // max(self._anchor, 1) // 200
        number = now_us // FUNDING_EVERY_US + 1
        rate = funding_rate(self.rules, number)
        return Mark((mid + index) // 2, index, mid, rate, number * FUNDING_EVERY_US)

    def _best_change(self) -> list[Event]:
        best = self.book.best()
        if best == self._best:
            return []
        self._best = best
        return [Best(self.book.update_id, *best)]

    def _change_regime(self, now_us: int) -> None:
        """Quiet, ordinary and hot spells with their own drift; now and then a burst."""
        rng = self.rng
        if now_us >= self._regime_ends:
            self._regime_ends = now_us + int(rng.uniform(5, 60) * 1_000_000)
            self._drift = rng.gauss(0, 0.15)
            self._heat = rng.choice((0.3, 0.7, 1.0, 1.0, 2.0, 5.0))
        if rng.random() < 0.003:
            self._heat = min(self._heat * 6, 12.0)
            self._regime_ends = now_us + int(rng.uniform(0.5, 3) * 1_000_000)

    def _order(self, time_us: int) -> list[Event]:
        """One taker order: it eats level after level until it is filled, all at one time."""
        rng, rules, book = self.rng, self.rules, self.book
        is_buy = self._next_side()
        value = min(rng.lognormvariate(5.2, 2.1), 2_000_000.0) * quote_scale(rules.quote)
        price = book.best_ask if is_buy else book.best_bid
        last = price * (1 + REACH) if is_buy else price * (1 - REACH)
        wanted = max(rules.step, int(value * UNIT / price * UNIT) // rules.step * rules.step)
        side, change = (book.asks, book.set_ask) if is_buy else (book.bids, book.set_bid)
        rows: list[Event] = []
        while wanted > 0 and len(side.prices) > 1:
            best = side.prices[0] if is_buy else side.prices[-1]
            if best > last if is_buy else best < last:
                break
            price = best
            # a level is several makers' orders: each is a trade of its own
            quantity = part = min(wanted, side.sizes[price])
            if part > 2 * rules.step and rng.random() < 0.5:
                part = rng.randint(1, part // rules.step - 1) * rules.step
            for piece in (part, quantity - part):
                if piece:
                    rows.append(Row(price, piece, time_us, not is_buy))
            wanted -= quantity
            change(price, side.sizes[price] - quantity)
        if rules.market == "usdm" and rng.random() < 0.0005:
            rows.append(Row(price, rules.step, time_us, not is_buy, INSURANCE_FUND))
        if rules.market == "usdm" and rng.random() < 0.002:
            taken = sum(row.quantity for row in rows if isinstance(row, Row))
            rows.append(Liquidation(price, taken, time_us, not is_buy))
        self._settle(time_us, is_buy, rows)
        return rows

    def _next_side(self) -> bool:
        """A parent order is many orders of one side; how many is heavy-tailed."""
        if self._mood_left <= 0:
            self._mood_left = int(3 * self.rng.paretovariate(1.5))
            self._mood = self.rng.uniform(-0.8, 0.8)
        self._mood_left -= 1
        lean = max(-0.45, min(0.45, 0.5 * self._mood + 0.3 * self._drift))
        return self.rng.random() < 0.5 + lean

    def _activity(self, now_us: int) -> float:
        """How busy the moment is; 1 is usual."""
        by_hour = BY_HOUR[now_us // 3_600_000_000 % 24]
        # never so calm that nobody can see it live
        return max(0.5, by_hour * self._heat * math.exp(max(-1.5, min(1.5, self._slow))))

    def _settle(self, now_us: int, is_buy: bool, rows: Sequence[Event]) -> None:
        """Where the makers quote after an order: around the fair price, which wandered meanwhile
        and which the order moved."""
        rng, tick = self.rng, self.rules.tick
        seconds = min(60.0, max(0, now_us - self._settled_us) / 1_000_000)
        self._settled_us = now_us
        self._slow += WANDERS * math.sqrt(seconds) * rng.gauss(0, 1)
        self._slow -= self._slow * min(1.0, seconds / FORGETS_SECONDS)
        wild = math.sqrt(self._activity(now_us))
        moved = rng.gauss(0, DEVIATION * wild) * math.sqrt(seconds)
        away = self._fair / self._anchor - 1
        moved -= away * seconds / RETURNS_SECONDS
        quote = sum(row.price * row.quantity for row in rows if isinstance(row, Row)) / UNIT / UNIT
        dollars = quote / quote_scale(self.rules.quote)
        moved += (IMPACT if is_buy else -IMPACT) * math.sqrt(dollars / IMPACT_OF)
        self._fair = max(2.0 * tick, self._fair * (1 + moved))
        spread = tick * rng.choice((1, 1, 1, 1, 2, 3))
        bid = max(tick, int(self._fair / tick) * tick - tick)
        self._makers.quote(bid, bid + spread)


def funding_rate(rules: Listing, number: int) -> int:
    """The rate (1e-8) paid at the end of the `number`-th eight hours since the epoch."""
    return int(random.Random(f"{rules.symbol}:{number}").gauss(10_000, 8_000))
