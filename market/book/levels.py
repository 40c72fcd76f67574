"""An order book's levels, in exact integers: prices and quantities scaled by 1e-8."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass

# (price, quantity); a quantity of 0 takes the level away
Level = tuple[int, int]


@dataclass(frozen=True)
class DepthChange:
    """A frame of changes: update ids U and u, and on futures pu, the u of the frame before.
    `time` is the exchange's, epoch ms."""

    first_id: int
    last_id: int
    previous_id: int | None
    time: int
    bids: list[Level]
    asks: list[Level]


@dataclass(frozen=True)
class Snapshot:
    """The whole book, as deep as was asked for, at an update id and a time (epoch ms)."""

    last_id: int
    time: int
    bids: list[Level]
    asks: list[Level]


@dataclass(frozen=True)
class Ticker:
    """The last 24 hours; prices and base scaled by 1e-8, quote likewise. `time` is epoch ms."""

    time: int
    open: int
    high: int
    low: int
    last: int
    base: int
    quote: int


@dataclass(frozen=True)
class Mark:
    """A future's mark and index price and its coming funding rate, scaled by 1e-8; times in epoch
    ms."""

    time: int
    price: int
    index: int
    rate: int
    next_funding: int


class Levels:
    """Both sides. `edges` bound the prices that the snapshot covered: what lies beyond is unknown
    until it changes, so it is never shown."""

    def __init__(self, snapshot: Snapshot, depth: int) -> None:
        self._bids, self._asks = dict(snapshot.bids), dict(snapshot.asks)
        self._bid_prices, self._ask_prices = sorted(self._bids), sorted(self._asks)
        lowest = self._bid_prices[0] if len(self._bids) >= depth else 0
        highest = self._ask_prices[-1] if len(self._asks) >= depth else 2**100
        self.edges = (lowest, highest)

    def change(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        for price, quantity in bids:
            _change(self._bids, self._bid_prices, price, quantity)
        for price, quantity in asks:
            _change(self._asks, self._ask_prices, price, quantity)

    def bids(self, count: int) -> list[Level]:
        """The best ones, highest first."""
        best = self._bid_prices[: -count - 1 : -1]
        return [(price, self._bids[price]) for price in best if price >= self.edges[0]]

    def asks(self, count: int) -> list[Level]:
        """The best ones, lowest first."""
        best = self._ask_prices[:count]
        return [(price, self._asks[price]) for price in best if price <= self.edges[1]]

    @property
    def is_crossed(self) -> bool:
        """No exchange has such a book: something was lost."""
        return bool(
            self._bid_prices and self._ask_prices and self._bid_prices[-1] >= self._ask_prices[0]
        )

    def is_thin(self, count: int) -> bool:
        """The price has come so near an edge that fewer than `count` levels are known."""
        bids, asks = self.bids(count), self.asks(count)
        return (self.edges[0] > 0 and len(bids) < count) or (
            self.edges[1] < 2**100 and len(asks) < count
        )


def _change(side: dict[int, int], prices: list[int], price: int, quantity: int) -> None:
    if quantity:
        if price not in side:
            insort(prices, price)
        side[price] = quantity
    elif side.pop(price, None) is not None:
        del prices[bisect_left(prices, price)]
