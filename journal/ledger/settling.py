"""Events of contracts, in the order of time: what their sides do, and what a fee or a payment in a
coin does to that coin (money.md 5)."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from journal.ledger.contracts import Contract
from journal.ledger.events import Event, is_of_contract, rank_of, settles_with, with_amount
from journal.ledger.moves import FILL, Effects, Move, number_of, order_of
from journal.ledger.records import ONE, ZERO, Fill, Funding, Problem
from journal.ledger.translating import Translator

# (account, coin) -> what moved it
Moves = dict[tuple[str, str], list[Move]]


class Settling:
    """`has_books`: the contracts' own results are wanted too, not only what they do to coins."""

    def __init__(self, method: str, translator: Translator, *, has_books: bool) -> None:
        self.contracts: dict[str, Contract] = {}
        self.problems: list[Problem] = []
        # symbol -> the asset that it settles in
        self.settled_in: dict[str, str] = {}
        self._method = method
        self._translator = translator
        self._worth = translator.worth
        self._has_books = has_books

    def contract(self, symbol: str) -> Contract:
        contract = self.contracts.get(symbol)
        if contract is None:
            contract = self.contracts[symbol] = Contract(symbol, self._method)
        return contract

    def settlement_asset(self, symbol: str) -> str:
        return self.settled_in.get(symbol) or "USDT"

    def run(
        self, events: Sequence[Event], moves: Moves, every: int, keep: Callable[[Any], None]
    ) -> None:
        """Settlements of one instant are looked at together; they come before its fills. After
        `every` so many rows, between two instants, `keep` is told how far it went; 0: never."""
        events = [event for event in events if is_of_contract(event)]
        for event in events:
            if isinstance(event, Fill):
                self.settled_in.setdefault(event.symbol, _settles_in(event))
        position = count = 0
        newest: Any = None
        while position < len(events):
            event = events[position]
            is_full = every and count >= every and self._has_books
            if newest is not None and is_full and rank_of(event)[0] > newest:
                keep(newest)
                count = 0
            position, count = position + 1, count + 1
            newest = event.time if newest is None else max(newest, event.time)
            if isinstance(event, Fill):
                fee = self._fee(event, moves)
                if self._has_books:
                    self.contract(event.symbol).book(event).apply(event, fee)
                continue
            assert isinstance(event, Funding)
            rows = [event]
            while position < len(events) and settles_with(event, events[position]):
                rows.append(events[position])  # type: ignore[arg-type]
                newest = max(newest, events[position].time)
                position, count = position + 1, count + 1
            self._settle(rows, moves)

    def _settle(self, rows: list[Funding], moves: Moves) -> None:
        """In dollars, unless the contract itself settles in another asset."""
        contract = self.contract(rows[0].symbol)
        settled_in = self.settlement_asset(contract.symbol)
        valued = []
        for row in rows:
            amount = row.amount
            if not self._is_same(row.asset, settled_in):
                amount = self._in_asset(row, settled_in)
                self._pay_in_coin(row, amount, moves)
            valued.append(with_amount(row, amount))
        if self._has_books:
            contract.settle(valued)

    def _is_same(self, asset: str, settled_in: str) -> bool:
        return asset == settled_in or (
            self._worth.is_unit(asset) and self._worth.is_unit(settled_in)
        )

    def _in_asset(self, row: Funding, asset: str) -> Decimal:
        effects = Effects()
        worth = self._translator.dollars(
            row.asset, row.amount, row.time, row.id, effects, is_early=True
        )
        unit = self._worth.price(asset, row.time, is_early=True)
        self.problems += effects.problems
        return (worth or ZERO) / (unit.dollars if unit and unit.dollars else ONE)

    def _pay_in_coin(self, row: Funding, worth: Decimal, moves: Moves) -> None:
        """A payment in a coin comes into the stack or leaves it at its worth (money.md 5.3)."""
        if self._worth.is_cash(row.asset) or not row.amount:
            return
        moves.setdefault((row.account, row.asset), []).append(
            Move(
                (row.time, FILL, "", number_of(row.id), 0),
                row.time,
                row.asset,
                "income" if row.amount > 0 else "paid",
                row.amount,
                abs(worth),
                row.id,
            )
        )

    def _fee(self, fill: Fill, moves: Moves) -> Decimal:
        """In the asset that the contract settles in; a fee in a coin leaves that coin's book."""
        settled_in = _settles_in(fill)
        total = ZERO
        for index, (amount, asset) in enumerate(fill.all_fees):
            if self._is_same(asset, settled_in):
                total += amount
                continue
            effects = Effects()
            worth = self._translator.dollars(asset, amount, fill.time, fill.id, effects) or ZERO
            self.problems += effects.problems
            unit = self._worth.price(settled_in, fill.time)
            total += worth / (unit.dollars if unit and unit.dollars else ONE)
            if not self._worth.is_cash(asset):
                moves.setdefault((fill.account, asset), []).append(
                    Move(
                        (fill.time, FILL, fill.symbol, number_of(fill.id), 1 + index),
                        fill.time,
                        asset,
                        "fee" if amount > 0 else "rebate",
                        -amount,
                        abs(worth),
                        fill.id,
                        symbol=fill.symbol,
                        order=(fill.market, *order_of(fill)),
                    )
                )
        return total


def _settles_in(fill: Fill) -> str:
    return fill.base if fill.market == "coinm" else fill.quote
