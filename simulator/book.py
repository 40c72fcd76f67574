"""The order book: levels, best prices, and what changed since it was last told."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

Levels = dict[int, int]


@dataclass(frozen=True)
class BookChange:
    """Absolute quantities of the levels that updates first_id..last_id touched (0: gone).
    Amounts in units of 1e-8, times in epoch microseconds; `previous_id` is the last update of the
    change before this one."""

    first_id: int
    last_id: int
    bids: Levels
    asks: Levels
    event_time: int = 0
    time: int = 0
    previous_id: int = 0


@dataclass
class Side:
    """Prices ascending, and the quantity at each."""

    prices: list[int] = field(default_factory=list)
    sizes: Levels = field(default_factory=dict)

    def set(self, price: int, size: int) -> None:
        if size and price not in self.sizes:
            insort(self.prices, price)
        elif not size and price in self.sizes:
            del self.prices[bisect_left(self.prices, price)]
        if size:
            self.sizes[price] = size
        else:
            self.sizes.pop(price, None)


class Book:
    """Every change of a level takes the next update id."""

    def __init__(self, update_id: int = 1_000_000_000) -> None:
        self.bids, self.asks = Side(), Side()
        self.update_id = update_id
        self._told = update_id
        self._changed: tuple[Levels, Levels] = ({}, {})

    @property
    def best_bid(self) -> int:
        return self.bids.prices[-1] if self.bids.prices else 0

    @property
    def best_ask(self) -> int:
        return self.asks.prices[0] if self.asks.prices else 0

    def best(self) -> tuple[int, int, int, int]:
        """bid, its quantity, ask, its quantity; zeros where a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return bid, self.bids.sizes.get(bid, 0), ask, self.asks.sizes.get(ask, 0)

    def set_bid(self, price: int, size: int) -> None:
        self.update_id += 1
        self.bids.set(price, size)
        self._changed[0][price] = size

    def set_ask(self, price: int, size: int) -> None:
        self.update_id += 1
        self.asks.set(price, size)
        self._changed[1][price] = size

    def take_change(self, event_time: int) -> BookChange | None:
        """What changed since the last call."""
        if self.update_id == self._told:
            return None
        bids, asks = self._changed
        change = BookChange(
            self._told + 1, self.update_id, bids, asks, event_time, event_time, self._told
        )
        self._told, self._changed = self.update_id, ({}, {})
        return change

    def apply(self, change: BookChange) -> None:
        """A recorded change; those that a snapshot already holds are passed over."""
        if change.last_id <= self.update_id:
            return
        for price, size in change.bids.items():
            self.bids.set(price, size)
        for price, size in change.asks.items():
            self.asks.set(price, size)
        self.update_id = change.last_id

    def top_bids(self, count: int) -> list[tuple[int, int]]:
        """Best first."""
        prices = self.bids.prices[: -count - 1 : -1] if count else []
        return [(price, self.bids.sizes[price]) for price in prices]

    def top_asks(self, count: int) -> list[tuple[int, int]]:
        return [(price, self.asks.sizes[price]) for price in self.asks.prices[:count]]
