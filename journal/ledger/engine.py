"""`compute`: fills and all that moved an account in; matches, trades, positions, payments and
problems out. One engine for every screen."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, localcontext
from functools import cached_property
from typing import Any

from journal.ledger.checkpoints import State
from journal.ledger.coins import CoinBook, Wishes
from journal.ledger.contracts import Contract
from journal.ledger.events import Event, name_of, quantity_of
from journal.ledger.lots import METHODS
from journal.ledger.moves import number_of
from journal.ledger.records import (
    PRECISION,
    ZERO,
    Conversion,
    Fill,
    Funding,
    Match,
    Opening,
    Payment,
    Position,
    Problem,
    Trade,
    Transfer,
)
from journal.ledger.rules import RuleBook, Told
from journal.ledger.running import Books, Checkpoint
from journal.ledger.worth import Prices, Seen, Worth
from lib.cash import DOLLARS


def compute(
    fills: Iterable[Fill],
    *,
    method: str = "fifo",
    funding: Iterable[Funding] = (),
    transfers: Iterable[Transfer] = (),
    conversions: Iterable[Conversion] = (),
    openings: Iterable[Opening] = (),
    prices: Prices | None = None,
    rules: Mapping[str, Told] | None = None,
    wishes: Wishes | None = None,
    coins: Collection[str] | None = None,
    own_prices: Mapping[str, Seen] | None = None,
    begin: State | None = None,
    every: int = 0,
) -> "Ledger":
    """Coin books and contract books from everything that moved. The order of the input never
    matters.

    `method`: fifo, lifo, hifo or average. `prices(asset, time)` is an asset's price in dollars,
    alone or with the time it is of, None or LookupError when unknown; without it the account's own
    fills are all that tells, and one quote that is no dollar counts as the unit. `rules` maps a
    symbol to its step size and minimum notional, or to a list of (time from which it was seen,
    Rules). `coins` limits what is computed to their books: with some, no contracts; with none,
    contracts only. `own_prices` is what all of the account's fills tell, where only some of them
    are given. `begin` is the checkpoint of one book to go on from: the rows are those after it, and
    results are those that they made or changed. `every` so many rows the ledger keeps a checkpoint
    (`Ledger.checkpoints`). Raises ValueError for an unknown method.
    The model: docs/how-we-calculate.md.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {METHODS}, was {method!r}")
    ledger = Ledger(method, prices, rules, wishes or Wishes())
    ledger._openings = list(openings)
    ledger._own_prices = own_prices
    ledger._only = None if coins is None else frozenset(coins)
    ledger._from, ledger._every = begin, every
    ledger._add([*fills, *funding, *transfers, *conversions])
    return ledger


class Ledger:
    """Results of one or several accounts; see `compute`."""

    def __init__(
        self,
        method: str,
        prices: Prices | None,
        rules: Mapping[str, Told] | None,
        wishes: Wishes,
    ) -> None:
        self.method = method
        self._prices = prices
        self._rules = RuleBook(rules)
        self._wishes = wishes
        self._openings: list[Opening] = []
        self._only: frozenset[str] | None = None
        self._own_prices: Mapping[str, Seen] | None = None
        self._events: dict[tuple[Any, ...], Event] = {}
        # how many of the fills are quoted in each
        self._quotes: Counter[str] = Counter()
        self._duplicates: list[Problem] = []
        self._newest: Any = None
        self._from: State | None = None
        self._every = 0
        self._counted_in: set[str] = set()
        self._books = self._new_books()

    def extend(self, fills: Iterable[Fill]) -> "Ledger":
        """Add fills. Newer ones than all that is known go on from where the books stand; with older
        ones everything is computed again. The result equals a full rebuild. Returns the ledger."""
        self._add(list(fills))
        return self

    # --- results ----------------------------------------------------------------------------------

    @cached_property
    def matches(self) -> list[Match]:
        """The tax view: lots by the method over the whole coin, whatever trade they belong to."""
        coins = [match for book in self._books.coin_books() for match in book.tax.matches]
        contracts = [
            match
            for contract in self._books.contracts.values()
            for book in contract.books.values()
            for trip in (*book.closed, *filter(None, [book.trip]))
            for match in trip.matches
        ]
        matches = [*coins, *contracts, *self._books.exchanges]
        return sorted(matches, key=lambda match: (match.time, number_of(match.closed_by)))

    @cached_property
    def all_trades(self) -> list[Trade]:
        """Trades and what was taken from the stack, by opening time."""
        with localcontext(PRECISION):
            trades = [trade for book in self._books.coin_books() for trade in book.trades()]
            trades += [
                trade
                for contract in self._books.contracts.values()
                for book in contract.books.values()
                for trade in book.trades()
            ]
        return sorted(trades, key=lambda trade: (trade.opened_at, trade.key))

    @property
    def trades(self) -> list[Trade]:
        """Trades as a person reads them, the open ones too; without the stack's."""
        return [trade for trade in self.all_trades if trade.kind == "trade"]

    @property
    def exchanges(self) -> list[Match]:
        """Matches between two kinds of cash: they belong to no trade."""
        return list(self._books.exchanges)

    @cached_property
    def positions(self) -> list[Position]:
        with localcontext(PRECISION):
            positions = [book.position() for book in self._books.coin_books()]
            positions += [
                book.position()
                for contract in self._books.contracts.values()
                for book in contract.books.values()
            ]
        held = [position for position in positions if position is not None]
        return sorted(held, key=lambda p: (p.account, p.market, p.symbol, p.position_side))

    @cached_property
    def payments(self) -> list[Payment]:
        payments = [*self._books.payments]
        for book in self._books.coin_books():
            payments += book.payments
        for contract in self._books.contracts.values():
            payments += contract.payments
        return sorted(payments, key=lambda item: (item.time, item.kind, number_of(item.id)))

    @cached_property
    def problems(self) -> list[Problem]:
        twice = sorted(
            self._duplicates, key=lambda problem: (str(problem.fill_id), problem.message)
        )
        problems = [*twice, *self._books.problems]
        for book in self._books.coin_books():
            problems += book.problems
        for contract in self._books.contracts.values():
            problems += contract.problems
            for contract_book in contract.books.values():
                problems += contract_book.problems
        return problems

    @property
    def currencies(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Of each currency that is no dollar: how much moved in all, and the dollars that it was
        booked at. What it is worth beyond them is the currency's effect (money.md 6)."""
        return dict(self._books.currencies)

    def coin(self, name: str, account: str = "") -> CoinBook | None:
        return self._books.coins.get((account, name))

    def contract(self, symbol: str) -> Contract | None:
        return self._books.contracts.get(symbol)

    @property
    def worth(self) -> Worth:
        return self._books.worth

    @property
    def checkpoints(self) -> list[Checkpoint]:
        return self._books.checkpoints

    # --- computing --------------------------------------------------------------------------------

    def _new_books(self) -> Books:
        self._counted_in = self._units()
        return Books(
            self.method,
            Worth(self._prices, self._counted_in, self._own_prices),
            self._rules,
            self._wishes,
            only=self._only,
            every=self._every,
        )

    def _units(self) -> set[str]:
        """Without prices, the one quote that all fills have is what is counted in."""
        if self._prices is not None:
            return set()
        quotes = {quote for quote, count in self._quotes.items() if count}
        return quotes if len(quotes) == 1 and not quotes & DOLLARS else set()

    def _add(self, events: list[Event]) -> None:
        for name in ("matches", "all_trades", "positions", "payments", "problems"):
            self.__dict__.pop(name, None)
        before = self._newest
        fresh = self._take(events)
        is_of_another_unit = self._units() != self._counted_in
        is_late = before is None or any(event.time <= before for event in fresh or ())
        if fresh is None or is_late or is_of_another_unit:
            self._books = self._new_books()
            self._books.begin(self._from, self._openings)
            fresh = list(self._events.values())
        self._books.run(fresh, self._newest)

    def _take(self, events: Iterable[Event]) -> list[Event] | None:
        """Those that are new; None where one of the known ones has another content now: of one id
        with two contents the same one stays, whichever came first."""
        fresh: dict[tuple[Any, ...], Event] = {}
        is_changed = False
        for event in events:
            name = name_of(event)
            known = self._events.get(name)
            if known is None:
                self._events[name] = fresh[name] = event
                self._count_quote(event, 1)
                if self._newest is None or event.time > self._newest:
                    self._newest = event.time
                continue
            quantity = quantity_of(event)
            if known == event:
                self._duplicates.append(
                    Problem(
                        "duplicate", event.id, quantity, f"id {event.id} came twice: counted once"
                    )
                )
                continue
            loser = max(known, event, key=repr)
            self._duplicates.append(
                Problem(
                    "conflict", event.id, ZERO, f"id {event.id} has two contents, left out: {loser}"
                )
            )
            if loser is known:
                self._events[name] = event
                self._count_quote(known, -1)
                self._count_quote(event, 1)
                is_changed = True
        return None if is_changed else list(fresh.values())

    def _count_quote(self, event: Event, amount: int) -> None:
        if isinstance(event, Fill):
            self._quotes[event.quote] += amount
