"""The books of one contract of one or several accounts, a book a side: they share what is settled
(money.md 5)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from journal.ledger.records import Fill, Funding, Opening, Payment, Problem
from journal.ledger.settlements import shares_of
from journal.ledger.sides import ContractBook

# (account, market, position side)
BookKey = tuple[str, str, str]


class Contract:
    """All books of one symbol: they share what is settled."""

    def __init__(self, symbol: str, method: str) -> None:
        self.symbol = symbol
        self.method = method
        self.books: dict[BookKey, ContractBook] = {}
        self.payments: list[Payment] = []
        self.problems: list[Problem] = []

    def book(self, event: Fill | Opening) -> ContractBook:
        return self.side(event.account, event.market, event.position_side)

    def side(self, account: str, market: str, position_side: str) -> ContractBook:
        key = (account, market, position_side)
        book = self.books.get(key)
        if book is None:
            book = self.books[key] = ContractBook(self.symbol, *key, self.method)
        return book

    def settle(self, rows: list[Funding]) -> None:
        """Rows of one instant, account and kind, in the asset that the contract settles in."""
        first = rows[0]
        books = [
            book
            for _, book in sorted(self.books.items())
            if book.market != "spot" and first.account in ("", book.account)
        ]
        if first.kind == "fee":
            for row in rows:
                self._settle_fee(row, books)
            return
        held = [book for book in books if book.quantity]
        if first.kind == "delivery":
            for row in rows:  # each ends a side: the next one finds what is still open
                self._settle_delivery(row, [book for book in held if book.quantity])
            return
        for row, index, amount in shares_of(
            rows, [(book.position_side, book.quantity) for book in held]
        ):
            key = ""
            if index is None:
                self.problems.append(_without_position(row))
            else:
                key = held[index].add_funding(amount)
            self.payments.append(_payment("funding", row, amount, key))

    def _settle_fee(self, row: Funding, books: list[ContractBook]) -> None:
        """To the open trade, else to the one closed last, else it is income."""
        traded = [book for book in books if book.trip or book.last]
        if not traded:
            self.payments.append(_payment("income", row, row.amount, ""))
            return
        book = next((b for b in traded if b.trip), None)
        if book is None:
            book = max(traded, key=lambda b: b.last.closed_at if b.last else row.time)
        self.payments.append(_payment("fee", row, row.amount, book.add_fee(-row.amount)))

    def _settle_delivery(self, row: Funding, held: list[ContractBook]) -> None:
        if not held:
            self.problems.append(_without_position(row))
            self.payments.append(_payment("funding", row, row.amount, ""))
            return
        for book in held[:1] if len(held) == 1 else _side_of(row, held):
            book.deliver(row)


def _side_of(row: Funding, held: list[ContractBook]) -> list[ContractBook]:
    named = [book for book in held if book.position_side == row.position_side]
    return named or held[:1]


def settled_at(item: Funding) -> Any:
    """When it was decided what is held (money.md 5.1): the row comes seconds later."""
    if not isinstance(item.time, datetime) or item.kind in {"fee", "delivery"}:
        return item.time
    if item.kind == "special":
        return item.time.replace(second=0, microsecond=0)
    return settled_hour(item.time)


def settled_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _payment(kind: str, row: Funding, amount: Decimal, key: str) -> Payment:
    return Payment(kind, row.id, row.time, row.asset, amount, amount, symbol=row.symbol, key=key)


def _without_position(row: Funding) -> Problem:
    return Problem(
        "funding_without_position",
        row.id,
        row.amount,
        f"funding of {row.amount} {row.asset} at {row.time} with no position open",
        asset=row.symbol,
        symbol=row.symbol,
        worth=abs(row.amount),
        time=row.time,
    )
