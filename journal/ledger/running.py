"""All books of a ledger while events run through them, from nothing or from a checkpoint."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from journal.ledger import checkpoints
from journal.ledger.checkpoints import State
from journal.ledger.coins import CoinBook, Wishes
from journal.ledger.contracts import Contract
from journal.ledger.events import Event, is_of_contract, rank_of
from journal.ledger.exits import Carriage
from journal.ledger.moves import Effects, Move, in_order
from journal.ledger.records import (
    PRECISION,
    ZERO,
    Conversion,
    Fill,
    Match,
    Opening,
    Payment,
    Problem,
    Transfer,
)
from journal.ledger.rules import RuleBook
from journal.ledger.settling import Moves, Settling
from journal.ledger.swaps import families, side_by_side
from journal.ledger.translating import Translator
from journal.ledger.worth import Worth
from lib.collector import held_off


class Checkpoint(NamedTuple):
    """The state behind all that happened up to `time`; what comes later goes on from it."""

    time: Any
    state: State


class Books:
    """`only` limits what is computed to books of coins, with none to contracts; `every` so many
    rows a checkpoint is kept, 0: none."""

    def __init__(
        self,
        method: str,
        worth: Worth,
        rules: RuleBook,
        wishes: Wishes,
        *,
        only: Collection[str] | None,
        every: int,
    ) -> None:
        self.worth = worth
        self.coins: dict[tuple[str, str], CoinBook] = {}
        # between two kinds of cash
        self.exchanges: list[Match] = []
        # of coins' fills, conversions and transfers: those of contracts stand with them
        self.payments: list[Payment] = []
        # of each currency: how much moved in all, and the dollars that it was booked at
        self.currencies: dict[str, tuple[Decimal, Decimal]] = {}
        self.checkpoints: list[Checkpoint] = []
        self._method, self._rules, self._wishes = method, rules, wishes
        self._only, self._every = only, every
        self._translator = Translator(worth)
        self._settling = Settling(method, self._translator, has_books=not only)
        self._problems: list[Problem] = []
        self._swapped: Carriage = {}

    @property
    def contracts(self) -> Mapping[str, Contract]:
        return self._settling.contracts

    @property
    def problems(self) -> list[Problem]:
        """In no book of their own."""
        return [*self._problems, *self._settling.problems]

    def coin_books(self) -> list[CoinBook]:
        """By name, so that results of one moment stand the same however the rows came."""
        return [self.coins[key] for key in sorted(self.coins)]

    def begin(self, state: State | None, openings: Sequence[Opening]) -> None:
        with localcontext(PRECISION):
            if state is not None:
                self._resume(state)
            for opening in openings:
                self._settling.contract(opening.symbol).book(opening).open_with(opening)

    def run(self, events: list[Event], newest: Any) -> None:
        """Events after all that ran before; `newest` is the time of the last one of all."""
        with localcontext(PRECISION), held_off():
            events.sort(key=rank_of)
            moves: Moves = {}
            self._settling.run(events, moves, self._every, self._keep_checkpoint)
            for event in events:
                if not is_of_contract(event):
                    self._keep(event.account, self._effects(event), moves)
            if self._only is not None:
                moves = {key: moves[key] for key in moves if key[1] in self._only}
            for family in families(moves):
                if len(family) == 1:
                    self._apply(family[0], list(in_order(moves[family[0]])))
                    continue
                for key, move in side_by_side(family, moves):
                    self._coin_book(key).apply(move)
            self._keep_checkpoint(newest)

    def _apply(self, key: tuple[str, str], moves: list[Move]) -> None:
        """A checkpoint stands between two instants."""
        book = self._coin_book(key)
        count = 0
        for number, move in enumerate(moves):
            book.apply(move)
            count += 1
            is_full = self._every and count >= self._every
            if is_full and number + 1 < len(moves) and moves[number + 1].time > move.time:
                self._keep_checkpoint(move.time)
                count = 0

    def _effects(self, event: Event) -> Effects:
        if isinstance(event, Fill):
            return self._translator.of_fill(event)
        if isinstance(event, Conversion):
            return self._translator.of_conversion(event)
        assert isinstance(event, Transfer)
        return self._translator.of_transfer(event)

    def _keep(self, account: str, effects: Effects, moves: Moves) -> None:
        for move in effects.moves:
            if self._only is None or move.coin in self._only:
                moves.setdefault((account, move.coin), []).append(move)
        self.payments += effects.payments
        self.exchanges += effects.matches
        self._problems += effects.problems
        for asset, quantity, worth in effects.legs:
            known = self.currencies.get(asset, (ZERO, ZERO))
            self.currencies[asset] = known[0] + quantity, known[1] + worth

    def _coin_book(self, key: tuple[str, str]) -> CoinBook:
        book = self.coins.get(key)
        if book is None:
            account, coin = key
            book = self.coins[key] = CoinBook(
                coin, account, self._method, self._rules.at, self._wishes, self._swapped
            )
        return book

    # --- checkpoints ------------------------------------------------------------------------------

    def _resume(self, state: State) -> None:
        if state.coin is not None:
            book = self._coin_book((state.coin.account, state.coin.name))
            checkpoints.resume_coin(book, state.coin)
        for side in state.sides:
            contract = self._settling.contract(side.symbol)
            book_of_side = contract.side(side.account, side.market, side.position_side)
            checkpoints.resume_side(book_of_side, side)
            self._settling.settled_in[side.symbol] = state.settled_in
        self.currencies.update(state.moved)

    def _keep_checkpoint(self, time: Any) -> None:
        if not self._every or time is None:
            return
        state = State(checkpoints.VERSION, moved=dict(self.currencies))
        for book in self.coins.values():
            state.coin = checkpoints.coin_state(book)
        for contract in self.contracts.values():
            state.settled_in = self._settling.settlement_asset(contract.symbol)
            state.sides += [checkpoints.side_state(side) for side in contract.books.values()]
        self.checkpoints.append(Checkpoint(time, state))
