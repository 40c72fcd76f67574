"""A market that looks like one: bursts, heavy-tailed sizes, sweeps that share one time, regimes."""

import random

from simulator.amounts import UNIT
from simulator.book import Book
from simulator.listing import Listing
from simulator.sources.events import Best, Event, Liquidation, Mark
from simulator.sources.makers import Makers, quote_scale
from simulator.tape import INSURANCE_FUND, Row

BOOK_EVERY_US = 100_000
# A pace that this machine cannot keep falls behind instead of stopping everything else.
ORDERS_AT_ONCE = 1_000
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
        self._drift = 0.0
        self._heat = 1.0
        self._pace = pace
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
            rate = self.rules.orders_per_second * self._heat * self._pace
            self._next += max(1, int(self.rng.expovariate(rate) * 1_000_000))
        if now_us >= self._book_due:
            self._book_due = now_us // BOOK_EVERY_US * BOOK_EVERY_US + BOOK_EVERY_US
            change = self.book.take_change(now_us)
            if change is not None:
                events.append(change)
        return events

    def take(self, is_buy: bool, quantity: int, limit: int, now_us: int) -> list[Row]:
        """A client's taker order: it eats the book up to a price (0: whatever it costs)."""
        book = self.book
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
            self._settle(rows[-1].price, is_buy)
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
            pull = self.book.best_bid / self._anchor - 1
            self._drift = rng.gauss(0, 0.25) - 4.0 * pull
            self._heat = rng.choice((0.3, 0.7, 1.0, 1.0, 2.0, 5.0))
        if rng.random() < 0.003:
            self._heat = min(self._heat * 6, 12.0)
            self._regime_ends = now_us + int(rng.uniform(0.5, 3) * 1_000_000)

    def _order(self, time_us: int) -> list[Event]:
        """One taker order: it eats level after level until it is filled, all at one time."""
        rng, rules, book = self.rng, self.rules, self.book
        is_buy = rng.random() < 0.5 + max(-0.35, min(0.35, self._drift * 0.3))
        value = min(rng.lognormvariate(5.2, 2.1), 2_000_000.0) * quote_scale(rules.quote)
        price = book.best_ask if is_buy else book.best_bid
        wanted = max(rules.step, int(value * UNIT / price * UNIT) // rules.step * rules.step)
        side, change = (book.asks, book.set_ask) if is_buy else (book.bids, book.set_bid)
        rows: list[Event] = []
        while wanted > 0 and len(side.prices) > 1:
            price = side.prices[0] if is_buy else side.prices[-1]
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
        self._settle(price, is_buy)
        return rows

    def _settle(self, price: int, is_buy: bool) -> None:
        """Where the makers quote after an order."""
        rng, tick = self.rng, self.rules.tick
        spread = tick * rng.choice((1, 1, 1, 1, 2, 3))
        bid = price - spread if is_buy else price
        step = max(1, bid // tick // 20_000)
        bid += tick * rng.randint(-step, step) if rng.random() < 0.3 else 0
        bid = max(tick, bid)
        self._makers.quote(bid, bid + spread)


def funding_rate(rules: Listing, number: int) -> int:
    """The rate (1e-8) paid at the end of the `number`-th eight hours since the epoch."""
    return int(random.Random(f"{rules.symbol}:{number}").gauss(10_000, 8_000))
