"""Books that share events: one spot book, or all futures books of a symbol (they share funding).

Events are kept sorted; at each moment when every book is flat a checkpoint is taken, from which an
added event is computed again.
"""

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from journal.ledger.book import Book, Results
from journal.ledger.lots import Lots
from journal.ledger.records import (
    ZERO,
    Fill,
    Funding,
    Position,
    Problem,
    Rules,
    Trade,
    Transfer,
    exact,
)
from lib.cash import DOLLARS

Event = Fill | Funding | Transfer
Prices = Callable[[str, Any], Decimal | None]
BookKey = tuple[str, str, str]
Number = tuple[int, int | str]
# (time, kind, id, account, market, side, event): ties are never decided by the event itself
Entry = tuple[Any, int, Number, str, str, str, Event]


@dataclass(frozen=True)
class Checkpoint:
    """All books flat after `position` events; residual lots, and how much had been produced."""

    position: int
    residues: dict[BookKey, tuple[int, Lots]]
    matches: int
    trades: int
    problems: int


class Group:
    def __init__(self, method: str, prices: Prices | None, rules: Rules) -> None:
        self.method = method
        self.prices = prices
        self.rules = rules
        self.results = Results()
        self.books: dict[BookKey, Book] = {}
        self._entries: list[Entry] = []
        self._seen: dict[tuple[int, Number, str, str, str], Entry] = {}
        self._duplicates: list[Problem] = []
        self._checkpoints: list[Checkpoint] = [Checkpoint(0, {}, 0, 0, 0)]
        self._firsts: dict[BookKey, Fill] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Take events in any order and compute again what they touch."""
        entries = sorted(map(entry_of, events), key=lambda entry: entry[:-1])
        fresh = [entry for entry in entries if self._is_new(entry)]
        fresh = [entry for entry in fresh if self._seen[name_of(entry)] is entry]
        if not fresh:
            return
        if not self._entries:
            del self._checkpoints[1:]
            self._entries = sorted(self._seen.values())
            self._replay(self._checkpoints[0])
            return
        fresh.sort()
        if fresh[0][0] > self._entries[-1][0]:  # only later events: go on from where we are
            start = len(self._entries)
            self._take_checkpoint(start)
            self._entries += fresh
            self._run(start)
            return
        # a checkpoint lies behind all events of its moment, so one of the same moment undoes it
        while (at := self._checkpoints[-1].position) and self._entries[at - 1][0] >= fresh[0][0]:
            self._checkpoints.pop()
        for entry in fresh:
            insort(self._entries, entry)
        self._replay(self._checkpoints[-1])

    def open_trades(self) -> list[Trade]:
        return [trade for book in self.books.values() if (trade := book.open_trade())]

    def positions(self) -> list[Position]:
        return [found for book in self.books.values() if (found := book.position())]

    def problems(self) -> list[Problem]:
        twice = sorted(
            self._duplicates, key=lambda problem: (str(problem.fill_id), problem.message)
        )
        return [*twice, *self.results.problems]

    def _is_new(self, entry: Entry) -> bool:
        """Of one id with two contents the same one stays, whichever came first."""
        name, event = name_of(entry), entry[-1]
        known = self._seen.get(name)
        if known is None:
            self._seen[name] = entry
            return True
        quantity = event.amount if isinstance(event, Funding) else event.quantity
        if known[-1] == event:
            self._duplicates.append(
                Problem("duplicate", event.id, quantity, f"id {event.id} came twice: counted once")
            )
            return False
        loser = max(known[-1], event, key=repr)
        self._duplicates.append(
            Problem(
                "conflict", event.id, ZERO, f"id {event.id} has two contents, left out: {loser}"
            )
        )
        if loser is event:
            return False
        self._seen[name] = entry
        self._entries = []  # computed anew, whole
        return True

    def _replay(self, start: Checkpoint) -> None:
        """Go on from a moment when all books were flat."""
        results = self.results
        del results.matches[start.matches :]
        del results.trades[start.trades :]
        del results.problems[start.problems :]
        self.books = {}
        for key, (sign, lots) in start.residues.items():
            book = self.books[key] = Book(self._firsts[key], self.method, self.rules, results)
            book.sign, book.lots = sign, lots.copy()
        self._run(start.position)

    def _run(self, start: int) -> None:
        entries = self._entries
        last = len(entries) - 1
        for position in range(start, len(entries)):
            event = entries[position][-1]
            self._apply(event)
            if position < last and entries[position + 1][0] != event.time:
                self._settle(None)
                self._take_checkpoint(position + 1)
        self._settle(None)

    def _settle(self, time: Any) -> None:
        for book in self.books.values():
            if book.dust_at is not None:
                book.settle(time)

    def _take_checkpoint(self, position: int) -> None:
        if any(book.trip is not None for book in self.books.values()):
            return
        results = self.results
        residues = {
            key: (book.sign, book.lots.copy())
            for key, book in self.books.items()
            if book.lots.quantity
        }
        self._checkpoints.append(
            Checkpoint(
                position, residues, len(results.matches), len(results.trades),
                len(results.problems),
            )
        )  # fmt: skip

    def _apply(self, event: Event) -> None:
        if isinstance(event, Fill):
            fee, base_fee = self._fees(event)
            self._book(event).apply(event, fee, base_fee)
        elif isinstance(event, Funding):
            self._fund(event)
        else:
            book = next(iter(self.books.values()), None)
            if book is None:  # the fill that names the book may come later
                first = next(e[-1] for e in self._entries if isinstance(e[-1], Fill))
                book = self._book(first)
            book.transfer(event)

    def _book(self, fill: Fill) -> Book:
        key = (fill.account, fill.market, fill.position_side)
        book = self.books.get(key)
        if book is None:
            self._firsts.setdefault(key, fill)
            book = self.books[key] = Book(fill, self.method, self.rules, self.results)
        return book

    def _fees(self, fill: Fill) -> tuple[Decimal, Decimal]:
        """(the whole fee in the quote asset, its part in the coin itself on spot)"""
        total = base_fee = ZERO
        pairs = (
            [(fill.fee, fill.fee_asset), *fill.fees] if fill.fees else [(fill.fee, fill.fee_asset)]
        )
        settled_in = fill.base if fill.market == "coinm" else fill.quote
        for amount, asset in pairs:
            if not amount:
                continue
            if asset is None or asset == settled_in:
                total += amount
            elif asset == fill.base:
                total += amount * fill.price
                base_fee += amount if fill.market == "spot" else ZERO
            else:
                price = self._price(asset, fill.time, fill.id, amount)
                total += amount * price / self._unit(settled_in, fill.time)
        return total, base_fee

    def _unit(self, asset: str, time: Any) -> Decimal:
        """The price list's price of the asset that amounts are in: 1 for dollars, and where the
        list does not know it."""
        return (None if asset in DOLLARS else self._ask(asset, time)) or Decimal(1)

    def _ask(self, asset: str, time: Any) -> Decimal | None:
        try:
            price = self.prices(asset, time) if self.prices is not None else None
        except LookupError:
            return None
        return None if price is None else exact(price, f"price of {asset}")

    def _price(self, asset: str, time: Any, event_id: str | int, amount: Decimal) -> Decimal:
        """A missing price is a Problem, and what it would have valued is left out."""
        price = self._ask(asset, time)
        if price is None:
            self.results.problems.append(
                Problem(
                    "missing_price", event_id, amount,
                    f"{amount} {asset} cannot be valued: no price of {asset} at {time}",
                )
            )  # fmt: skip
            return ZERO
        return price

    def _fund(self, item: Funding) -> None:
        """To the open round trips of the symbol. Where several are meant they share it by signed
        size, since at one rate a long pays what a short receives."""
        holders = [
            book
            for _, book in sorted(self.books.items())
            if book.trip is not None
            and book.market != "spot"
            and item.account in ("", book.account)
            and item.position_side in ("BOTH", book.position_side)
        ]
        if not holders:
            self.results.problems.append(
                Problem(
                    "funding_without_position", item.id, item.amount,
                    f"funding of {item.amount} {item.asset} at {item.time} with no position open",
                )
            )  # fmt: skip
            return
        first = holders[0]
        own = self._firsts[first.account, first.market, first.position_side]
        settled_in = own.base if first.market == "coinm" else own.quote
        amount = item.amount
        if item.asset != settled_in:
            amount *= self._price(item.asset, item.time, item.id, item.amount)
            amount /= self._unit(settled_in, item.time)
        sizes = [book.lots.quantity * book.sign for book in holders]
        if not sum(sizes, ZERO):
            sizes = [abs(size) for size in sizes]
        left, whole = amount, sum(sizes, ZERO)
        for book, size in zip(holders[:-1], sizes, strict=False):
            part = amount * size / whole
            book.add_funding(part)
            left -= part
        holders[-1].add_funding(left)


def entry_of(event: Event) -> Entry:
    """Transfers before funding before fills of the same time; ids of digits sort as numbers."""
    text = str(event.id)
    number: tuple[int, int | str] = (0, int(text)) if text.isdecimal() else (1, text)
    if isinstance(event, Fill):
        return (event.time, 2, number, event.account, event.market, event.position_side, event)
    if isinstance(event, Funding):
        return (event.time, 1, number, event.account, "", event.position_side, event)
    return (event.time, 0, number, "", "", "", event)


def name_of(entry: Entry) -> tuple[int, Number, str, str, str]:
    """What makes an event the same one: a fill's position side is not part of it."""
    _, kind, number, account, market, side, _ = entry
    return kind, number, account, market, side if kind == 1 else ""
