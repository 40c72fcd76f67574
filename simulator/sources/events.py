"""What a source tells the exchange, in the order in which it happens."""

from typing import NamedTuple, Protocol

from simulator.book import Book, BookChange
from simulator.tape import Row


class Best(NamedTuple):
    """The best prices changed. Amounts in 1e-8; times 0: made up when it is sent."""

    update_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    event_time: int = 0


class Hole(NamedTuple):
    """Ids that no trade has; those of an aggregate (`agg_id`) stand for trades it sums up."""

    ids: int
    agg_id: int = 0


class Mark(NamedTuple):
    """Futures: mark, index and settlement price, the funding rate (all in 1e-8)."""

    price: int
    index_price: int
    settle: int
    rate: int
    next_funding: int


class Liquidation(NamedTuple):
    """Futures: a position is closed by force with this taker order."""

    price: int
    quantity: int
    time: int
    is_sell: bool


Event = Row | Best | BookChange | Hole | Mark | Liquidation


class Source(Protocol):
    """Where a symbol's trades come from. `now_us` is the exchange's clock."""

    first_id: int
    book: Book

    def advance(self, now_us: int) -> list[Event]: ...

    def time(self, now_us: int) -> int:
        """The symbol's own time: a replay may run faster than the clock."""
        ...
