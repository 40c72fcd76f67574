"""`compute`: fills and all that moved an account in; matches, trades, positions, payments and
problems out. One engine for every screen."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Context, Decimal, localcontext
from functools import cached_property
from typing import Any, NamedTuple

from journal.ledger import checkpoints
from journal.ledger.checkpoints import State
from journal.ledger.coins import CoinBook, Wishes
from journal.ledger.contracts import Contract
from journal.ledger.events import (
    Event,
    is_of_contract,
    name_of,
    quantity_of,
    rank_of,
    settles_with,
    with_amount,
)
from journal.ledger.lots import METHODS, Lot
from journal.ledger.moves import (
    FILL,
    Effects,
    Move,
    in_order,
    number_of,
    order_of,
)
from journal.ledger.records import (
    ZERO,
    Conversion,
    Fill,
    Funding,
    Id,
    Match,
    Opening,
    Payment,
    Position,
    Problem,
    Trade,
    Transfer,
)
from journal.ledger.rules import RuleBook, Told
from journal.ledger.translating import Translator
from journal.ledger.worth import Prices, Seen, Worth
from lib.cash import DOLLARS
from lib.collector import held_off

# Products of 8-place decimals are exact far below this; only divisions round, at the 60th digit.
PRECISION = Context(prec=60)


class Checkpoint(NamedTuple):
    """The state behind all that happened up to `time`; what comes later goes on from it."""

    time: Any
    state: State


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
        self._duplicates: list[Problem] = []
        self._newest: Any = None
        self._from: State | None = None
        self._every = 0
        self.checkpoints: list[Checkpoint] = []
        self._begin()

    def extend(self, fills: Iterable[Fill]) -> "Ledger":
        """Add fills. Newer ones than all that is known go on from where the books stand; with older
        ones everything is computed again. The result equals a full rebuild. Returns the ledger."""
        self._add(list(fills))
        return self

    # --- results ----------------------------------------------------------------------------------

    @cached_property
    def matches(self) -> list[Match]:
        """The tax view: lots by the method over the whole coin, whatever trade they belong to."""
        coins = [match for book in self._coin_books() for match in book.matches]
        contracts = [
            match
            for contract in self._contracts.values()
            for book in contract.books.values()
            for trip in (*book.closed, *filter(None, [book.trip]))
            for match in trip.matches
        ]
        matches = [*coins, *contracts, *self._exchanges]
        return sorted(matches, key=lambda match: (match.time, number_of(match.closed_by)))

    @cached_property
    def all_trades(self) -> list[Trade]:
        """Trades and what was taken from the stack, by opening time."""
        with localcontext(PRECISION):
            trades = [trade for book in self._coin_books() for trade in book.trades()]
            trades += [
                trade
                for contract in self._contracts.values()
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
        return list(self._exchanges)

    @cached_property
    def positions(self) -> list[Position]:
        with localcontext(PRECISION):
            found = [book.position() for book in self._coin_books()]
            found += [
                book.position()
                for contract in self._contracts.values()
                for book in contract.books.values()
            ]
        held = [position for position in found if position is not None]
        return sorted(held, key=lambda p: (p.account, p.market, p.symbol, p.position_side))

    @cached_property
    def payments(self) -> list[Payment]:
        payments = [*self._payments]
        for book in self._coin_books():
            payments += book.payments
        for contract in self._contracts.values():
            payments += contract.payments
        return sorted(payments, key=lambda item: (item.time, item.kind, number_of(item.id)))

    @cached_property
    def problems(self) -> list[Problem]:
        twice = sorted(
            self._duplicates, key=lambda problem: (str(problem.fill_id), problem.message)
        )
        problems = [*twice, *self._problems]
        for book in self._coin_books():
            problems += book.problems
        for contract in self._contracts.values():
            problems += contract.problems
            for contract_book in contract.books.values():
                problems += contract_book.problems
        return problems

    def _coin_books(self) -> list[CoinBook]:
        """By name, so that results of one moment stand the same however the rows came."""
        return [self._coins[key] for key in sorted(self._coins)]

    @property
    def currencies(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Of each currency that is no dollar: how much moved in all, and the dollars that it was
        booked at. What it is worth beyond them is the currency's effect (money.md 6)."""
        return dict(self._currencies)

    def coin(self, name: str, account: str = "") -> CoinBook | None:
        return self._coins.get((account, name))

    def contract(self, symbol: str) -> Contract | None:
        return self._contracts.get(symbol)

    @property
    def worth(self) -> Worth:
        return self._worth

    # --- computing --------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._counted_in = self._units()
        self._worth = Worth(self._prices, self._counted_in, self._own_prices)
        self._translator = Translator(self._worth)
        self._coins: dict[tuple[str, str], CoinBook] = {}
        self._contracts: dict[str, Contract] = {}
        self._settled_in: dict[str, str] = {}
        self._exchanges: list[Match] = []
        self._payments: list[Payment] = []
        self._problems: list[Problem] = []
        self._currencies: dict[str, tuple[Decimal, Decimal]] = {}
        self._swapped: dict[tuple[str, Id], tuple[list[Lot], list[Lot]]] = {}
        self.checkpoints = []

    def _units(self) -> set[str]:
        """Without prices, the one quote that all fills have is what is counted in."""
        if self._prices is not None:
            return set()
        quotes = {e.quote for e in self._events.values() if isinstance(e, Fill)}
        return quotes if len(quotes) == 1 and not quotes & DOLLARS else set()

    def _add(self, events: list[Event]) -> None:
        for name in ("matches", "all_trades", "positions", "payments", "problems"):
            self.__dict__.pop(name, None)
        before = self._newest
        fresh = self._take(events)
        is_of_another_unit = self._units() != self._counted_in
        is_late = before is None or any(event.time <= before for event in fresh or ())
        if fresh is None or is_late or is_of_another_unit:
            self._begin()
            self._run(list(self._events.values()), with_openings=True)
        else:
            self._run(fresh, with_openings=False)

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
                is_changed = True
        return None if is_changed else list(fresh.values())

    def _run(self, events: list[Event], *, with_openings: bool) -> None:
        with localcontext(PRECISION), held_off():
            if with_openings:
                self._resume()
                for opening in self._openings:
                    self._contract(opening.symbol).book(opening).open_with(opening)
            events.sort(key=rank_of)
            moves: dict[tuple[str, str], list[Move]] = {}
            self._run_contracts([e for e in events if is_of_contract(e)], moves)
            for event in events:
                if not is_of_contract(event):
                    self._keep(event.account, self._effects(event), moves)
            if self._only is not None:
                moves = {key: moves[key] for key in moves if key[1] in self._only}
            for key in self._in_dependency(moves):
                self._apply(self._coin_book(key), list(in_order(moves[key])))
            self._keep_checkpoint(self._newest)

    def _apply(self, book: CoinBook, moves: list[Move]) -> None:
        """A checkpoint stands between two instants."""
        count = 0
        for number, move in enumerate(moves):
            book.apply(move)
            count += 1
            is_full = self._every and count >= self._every
            if is_full and number + 1 < len(moves) and moves[number + 1].time > move.time:
                self._keep_checkpoint(move.time)
                count = 0

    # --- checkpoints ------------------------------------------------------------------------------

    def _resume(self) -> None:
        state = self._from
        if state is None:
            return
        if state.coin is not None:
            book = self._coin_book((state.coin.account, state.coin.name))
            checkpoints.resume_coin(book, state.coin)
        for side in state.sides:
            contract = self._contract(side.symbol)
            book_of_side = contract.side(side.account, side.market, side.position_side)
            checkpoints.resume_side(book_of_side, side)
            self._settled_in[side.symbol] = state.settled_in
        self._currencies.update(state.moved)

    def _keep_checkpoint(self, time: Any) -> None:
        if not self._every or time is None:
            return
        state = State(checkpoints.VERSION, moved=dict(self._currencies))
        for book in self._coins.values():
            state.coin = checkpoints.coin_state(book)
        for contract in self._contracts.values():
            state.settled_in = self._settlement_asset(contract.symbol)
            state.sides += [checkpoints.side_state(side) for side in contract.books.values()]
        self.checkpoints.append(Checkpoint(time, state))

    def _effects(self, event: Event) -> Effects:
        if isinstance(event, Fill):
            return self._translator.of_fill(event)
        if isinstance(event, Conversion):
            return self._translator.of_conversion(event)
        assert isinstance(event, Transfer)
        return self._translator.of_transfer(event)

    def _keep(
        self, account: str, effects: Effects, moves: dict[tuple[str, str], list[Move]]
    ) -> None:
        for move in effects.moves:
            if self._only is None or move.coin in self._only:
                moves.setdefault((account, move.coin), []).append(move)
        self._payments += effects.payments
        self._exchanges += effects.matches
        self._problems += effects.problems
        for asset, quantity, worth in effects.legs:
            known = self._currencies.get(asset, (ZERO, ZERO))
            self._currencies[asset] = known[0] + quantity, known[1] + worth

    def _run_contracts(self, events: list[Event], moves: dict[tuple[str, str], list[Move]]) -> None:
        """Settlements of one instant are looked at together; they come before its fills."""
        position = count = 0
        newest: Any = None
        while position < len(events):
            event = events[position]
            is_full = self._every and count >= self._every and not self._only
            if newest is not None and is_full and rank_of(event)[0] > newest:
                self._keep_checkpoint(newest)
                count = 0
            position, count = position + 1, count + 1
            newest = event.time if newest is None else max(newest, event.time)
            if isinstance(event, Fill):
                fee = self._contract_fee(event, moves)
                if not self._only:
                    self._contract(event.symbol).book(event).apply(event, fee)
                continue
            assert isinstance(event, Funding)
            rows = [event]
            while position < len(events) and settles_with(event, events[position]):
                rows.append(events[position])  # type: ignore[arg-type]
                newest = max(newest, events[position].time)
                position, count = position + 1, count + 1
            self._settle(rows, moves)

    def _settle(self, rows: list[Funding], moves: dict[tuple[str, str], list[Move]]) -> None:
        """In dollars, unless the contract itself settles in another asset."""
        contract = self._contract(rows[0].symbol)
        settled_in = self._settlement_asset(contract.symbol)
        valued = []
        for row in rows:
            amount = row.amount
            if row.asset != settled_in and not (
                self._worth.is_unit(row.asset) and self._worth.is_unit(settled_in)
            ):
                amount = self._in_asset(row, settled_in)
                self._pay_in_coin(row, amount, moves)
            valued.append(with_amount(row, amount))
        if not self._only:
            contract.settle(valued)

    def _in_asset(self, row: Funding, asset: str) -> Decimal:
        effects = Effects()
        worth = self._translator.dollars(
            row.asset, row.amount, row.time, row.id, effects, is_early=True
        )
        unit = self._worth.price(asset, row.time, is_early=True)
        self._problems += effects.problems
        return (worth or ZERO) / (unit.dollars if unit and unit.dollars else Decimal(1))

    def _pay_in_coin(
        self, row: Funding, worth: Decimal, moves: dict[tuple[str, str], list[Move]]
    ) -> None:
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

    def _contract_fee(self, fill: Fill, moves: dict[tuple[str, str], list[Move]]) -> Decimal:
        """In the asset that the contract settles in; a fee in a coin leaves that coin's book."""
        settled_in = fill.base if fill.market == "coinm" else fill.quote
        total = ZERO
        for index, (amount, asset) in enumerate(fill.all_fees):
            if asset == settled_in or (
                self._worth.is_unit(asset) and self._worth.is_unit(settled_in)
            ):
                total += amount
                continue
            effects = Effects()
            worth = self._translator.dollars(asset, amount, fill.time, fill.id, effects) or ZERO
            self._problems += effects.problems
            unit = self._worth.price(settled_in, fill.time)
            total += worth / (unit.dollars if unit and unit.dollars else Decimal(1))
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

    def _settlement_asset(self, symbol: str) -> str:
        known = self._settled_in.get(symbol)
        if known:
            return known
        for event in self._events.values():
            if isinstance(event, Fill) and event.symbol == symbol and event.market != "spot":
                settled_in = event.base if event.market == "coinm" else event.quote
                self._settled_in[symbol] = settled_in
                return settled_in
        return "USDT"

    def _in_dependency(self, moves: Mapping[tuple[str, str], list[Move]]) -> list[tuple[str, str]]:
        """A coin that was swapped into another comes before it."""
        ordered: dict[tuple[str, str], None] = {}

        def visit(key: tuple[str, str], above: frozenset[tuple[str, str]]) -> None:
            for move in moves[key]:
                partner = (key[0], move.partner)
                is_new = partner not in ordered and partner not in above
                if move.kind == "swapped" and move.quantity > 0 and partner in moves and is_new:
                    visit(partner, above | {key})
            ordered[key] = None

        for key in sorted(moves):
            if key not in ordered:
                visit(key, frozenset({key}))
        return list(ordered)

    def _coin_book(self, key: tuple[str, str]) -> CoinBook:
        book = self._coins.get(key)
        if book is None:
            account, coin = key
            book = self._coins[key] = CoinBook(
                coin, account, self.method, self._rules.at, self._wishes, self._swapped
            )
        return book

    def _contract(self, symbol: str) -> Contract:
        contract = self._contracts.get(symbol)
        if contract is None:
            contract = self._contracts[symbol] = Contract(symbol, self.method)
        return contract
