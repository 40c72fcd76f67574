"""The makers of a made-up book: they quote where the price goes, refill behind it, and fidget."""

import math
import random

from simulator.amounts import UNIT
from simulator.book import Book
from simulator.listing import Listing

LEVELS = 150
FEWEST, MOST = 60, 400
MOST_BRIDGED = 60


class Makers:
    """Keep `book` around the best prices that `quote` names; the book never crosses."""

    def __init__(self, book: Book, rules: Listing, rng: random.Random) -> None:
        self.book, self.rules, self.rng = book, rules, rng
        self._gap = max(1, rules.price // rules.tick // 100_000)

    def quote(self, bid: int, ask: int) -> None:
        """Everything better than these prices is withdrawn; both become the best."""
        book = self.book
        while book.best_bid > bid:
            book.set_bid(book.best_bid, 0)
        while book.best_ask and book.best_ask < ask:
            book.set_ask(book.best_ask, 0)
        if bid not in book.bids.sizes:
            self._bridge(book.best_bid, bid, is_bid=True)
            book.set_bid(bid, self.size())
        if ask not in book.asks.sizes:
            self._bridge(ask, book.best_ask, is_bid=False)
            book.set_ask(ask, self.size())
        self._keep_deep()
        if self.rng.random() < 0.5:
            self._fidget()

    def size(self) -> int:
        """A level's quantity: heavy-tailed in value, whole steps. A hundred of them, what stands
        within 0.1 % on BTCUSDT, are several coins."""
        value = math.exp(self.rng.gauss(8.2, 1.1)) * quote_scale(self.rules.quote)
        quantity = int(value * UNIT / self.rules.price * UNIT)
        return max(self.rules.step, quantity // self.rules.step * self.rules.step)

    def _bridge(self, low: int, high: int, *, is_bid: bool) -> None:
        """Makers follow a price that jumped: as many levels on its way as elsewhere."""
        tick = self.rules.tick
        steps = (high - low) // tick
        if not low or steps < 4:
            return
        wanted = steps / self._gap
        for _ in range(min(MOST_BRIDGED, int(wanted + self.rng.random()))):
            price = low + tick * self.rng.randint(1, steps - 1)
            (self.book.set_bid if is_bid else self.book.set_ask)(price, self.size())

    def _keep_deep(self) -> None:
        book, tick = self.book, self.rules.tick
        if len(book.bids.prices) < FEWEST:
            price = book.bids.prices[0]
            while len(book.bids.prices) < LEVELS and price > tick * 2 * self._gap:
                price -= tick * self.rng.randint(1, 2 * self._gap)
                book.set_bid(price, self.size())
        if len(book.asks.prices) < FEWEST:
            price = book.asks.prices[-1]
            while len(book.asks.prices) < LEVELS:
                price += tick * self.rng.randint(1, 2 * self._gap)
                book.set_ask(price, self.size())
        while len(book.bids.prices) > MOST:
            book.set_bid(book.bids.prices[0], 0)
        while len(book.asks.prices) > MOST:
            book.set_ask(book.asks.prices[-1], 0)

    def _fidget(self) -> None:
        """Somebody changes or withdraws an order below the best prices."""
        book, rng = self.book, self.rng
        side, change = rng.choice(((book.bids, book.set_bid), (book.asks, book.set_ask)))
        position = min(int(rng.expovariate(0.15)) + 1, len(side.prices) - 1)
        price = side.prices[-1 - position if side is book.bids else position]
        change(price, 0 if rng.random() < 0.3 else self.size())


def quote_scale(quote: str) -> float:
    """What a dollar is in the quote asset, roughly."""
    return {"BTC": 1 / 95_000, "ETH": 1 / 3300, "BNB": 1 / 880}.get(quote, 1.0)
