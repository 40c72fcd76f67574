"""The book of one coin of one account, over all its pairs and wallets (money.md 1 to 3).

Two views of the same lots are kept side by side: the tax view, one store for the whole coin, and
the trader's view, an open trade beside a stack. Every exit is matched in both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from journal.ledger.exits import Carriage, Exit, leave
from journal.ledger.lots import Lot, Lots, Place
from journal.ledger.moves import Move, number_of
from journal.ledger.records import ONE, ZERO, Payment, Position, Problem, Rules, Trade
from journal.ledger.tax import StatedCosts, TaxView
from journal.ledger.trips import Trip

# What opens or joins a trade; everything else that comes in goes to the stack.
ENTRIES = frozenset({"bought", "converted"})
# What leaves the open trade first; everything else leaves the stack first.
FROM_THE_TRADE = frozenset({"sold", "converted"})
# What an owner's mark stands on: the coin's own fills and conversions, not the fees it paid.
MARKED = frozenset({"bought", "sold", "converted"})
# (symbol, moment) -> the rules that held, None where none were ever seen
RulesAt = Callable[[str, Any], Rules | None]
# (symbol, id) of a fill, as the owner's marks name it
Mark = tuple[str, str]


@dataclass(frozen=True)
class Wishes:
    """What the owner said of his coins: fills after which the open trade is set aside, purchases
    that keep it open however long ago its last fill was, and after how long a purchase sets it
    aside by itself (None: never). `stated`: what his deposits had cost, for the tax report."""

    set_aside: frozenset[Mark] = frozenset()
    keep: frozenset[Mark] = frozenset()
    gap: timedelta | None = timedelta(days=60)
    stated: StatedCosts = field(default_factory=dict)


@dataclass
class CoinTrip(Trip):
    """`kind` is trade or stack."""

    kind: str = "trade"
    symbol: str = ""
    newest_at: Any = None
    ends_older: bool = False


class CoinBook:
    """`apply` moves in the order of time; what came of them is in the lists."""

    def __init__(
        self,
        coin: str,
        account: str,
        method: str,
        rules_at: RulesAt,
        wishes: Wishes,
        swapped: Carriage,
    ) -> None:
        self.coin = coin
        self.account = account
        self.method = method
        self.wishes = wishes
        self.payments: list[Payment] = []
        self.problems: list[Problem] = []
        self.closed: list[CoinTrip] = []
        self.trade: CoinTrip | None = None
        self.tax = TaxView(method)
        # None where nothing is stated: the tax report is the tax view
        self.report = TaxView(method, wishes.stated) if wishes.stated else None
        self._views = [self.tax] if self.report is None else [self.tax, self.report]
        self.of_trade = Lots(method)
        self.of_stack = Lots(method)
        self._stack_trips: dict[tuple[Any, ...], CoinTrip] = {}
        self._rules_at = rules_at
        # of the pair that traded last: its name, dollars of one of its quote
        self.pair = ("", ONE)
        self._swapped = swapped

    # --- what comes and goes --------------------------------------------------------------------

    def apply(self, move: Move) -> None:
        if move.symbol and move.kind in {"bought", "sold"}:
            self.pair = (move.symbol, move.unit)
        if move.kind == "swapped":
            self._swap(move)
        elif move.quantity > 0:
            self._come_in(move)
        else:
            self._go_out(move)
        is_marked = (move.symbol, str(move.id)) in self.wishes.set_aside
        if self.trade is not None and is_marked and move.kind in MARKED:
            self._set_aside("set_aside")

    def _come_in(self, move: Move) -> None:
        is_known = move.worth is not None and move.kind != "opening"
        place = self._place(move, is_opening=move.kind == "opening")
        lot = Lot(
            move.id,
            place,
            move.quantity,
            move.worth or ZERO,
            move.fee,
            ZERO if is_known else ONE,
        )
        for view in self._views:
            view.come_in(lot, self.coin)
        if move.kind not in ENTRIES:
            self.of_stack.add(lot)
            return
        ends_older = self._end_forgotten(move)
        trip = self._open_trade(move)
        trip.ends_older = trip.ends_older or ends_older
        trip.entry_quantity += move.quantity
        trip.entry_value += lot.cost
        self.of_trade.add(lot)

    def _go_out(self, move: Move) -> None:
        quantity = -move.quantity
        worth = move.worth or ZERO
        held = self.of_trade.quantity + self.of_stack.quantity
        if quantity > held:
            self._assume(move, quantity - held, worth / quantity)
        for view in self._views:
            view.go_out(move, quantity, worth)
        trade_first = move.kind in FROM_THE_TRADE
        first, second = self.of_trade, self.of_stack
        if not trade_first:
            first, second = second, first
        size = min(quantity, first.quantity)
        taken = [first.take(size), second.take(quantity - size)]
        from_trade, from_stack = taken if trade_first else taken[::-1]
        exits = Exit(move, quantity, worth)
        if from_trade:
            assert self.trade is not None
            for match in exits.matches(from_trade):
                self.trade.add(match)
            self._touch(self.trade, move)
            self._end_if_gone(move, worth / quantity)
        if from_stack:
            trip = self._stack_trip(move)
            for match in exits.matches(from_stack):
                trip.add(match)
            trip.closed_at = move.time
            self._touch(trip, move)

    def _assume(self, move: Move, quantity: Decimal, unit: Decimal) -> None:
        """What leaves beyond everything held was there unseen (money.md 2.7)."""
        cost = unit * quantity
        self.payments.append(
            Payment(
                "deposit",
                move.id,
                move.time,
                self.coin,
                quantity,
                cost,
                symbol=move.symbol,
                is_assumed=True,
            )
        )
        for lots in self._kept():
            lots.add(Lot(move.id, self._place(move), quantity, cost, ZERO, ONE))
        self.problems.append(
            Problem(
                "oversold",
                move.id,
                quantity,
                f"{-move.quantity} {self.coin} left with {-move.quantity - quantity} held: "
                f"{quantity} must have come in before, taken at its worth of that moment",
                asset=self.coin,
                symbol=move.symbol,
                worth=cost,
                time=move.time,
            )
        )

    def _swap(self, move: Move) -> None:
        """Redenominated or renamed: cost and dates go on under the new name (money.md 2.1)."""
        if move.quantity < 0:
            if self.trade is not None:
                self._set_aside("set_aside")
            quantity = -move.quantity
            if quantity > self.of_stack.quantity:
                unit = (move.worth or ZERO) / quantity
                self._assume(move, quantity - self.of_stack.quantity, unit)
            self._swapped[self.coin, move.id] = [leave(lots, quantity) for lots in self._kept()]
            return
        carried = self._swapped.pop((move.partner, move.id), [])
        held = sum((lot.quantity for lot in carried[0]), ZERO) if carried else ZERO
        if not held:
            self._come_in(move._replace(kind="income"))
            return
        for lots, arriving in zip(self._kept(), carried, strict=True):
            left = move.quantity
            for lot in arriving:
                is_last = lot is arriving[-1]
                size = left if is_last else lot.quantity * move.quantity / held
                left -= size
                lots.add(Lot(lot.id, lot.place, size, lot.cost, lot.fee, lot.apart))

    def _kept(self) -> list[Lots]:
        """Every store that what comes to no trade comes to."""
        return [self.of_stack, *(view.lots for view in self._views)]

    # --- trades -----------------------------------------------------------------------------------

    def _open_trade(self, move: Move) -> CoinTrip:
        if self.trade is None:
            symbol = move.symbol or self.coin
            self.trade = CoinTrip(
                f"{self.account}:spot:{symbol}:BOTH:LONG:{move.id}",
                move.time,
                symbol=symbol,
                newest_at=move.time,
            )
        self._touch(self.trade, move)
        return self.trade

    def _touch(self, trip: CoinTrip, move: Move) -> None:
        trip.fills[move.symbol, move.id] = None
        trip.newest_at = move.time

    def _end_forgotten(self, move: Move) -> bool:
        """A purchase long after the newest fill sets the open trade aside (money.md 3.6)."""
        gap = self.wishes.gap
        if self.trade is None or gap is None or not isinstance(move.time, datetime):
            return False
        is_long = move.time - self.trade.newest_at >= gap
        if not is_long or (move.symbol, str(move.id)) in self.wishes.keep:
            return False
        self._set_aside("forgotten")
        return True

    def _set_aside(self, why: str) -> None:
        """What the trade still holds goes to the stack; it ends with the matches that it has."""
        trip = self.trade
        assert trip is not None
        for lot in self.of_trade.take_all():
            self.of_stack.add(lot)
        self.trade = None
        if trip.matched:
            trip.closed_at, trip.ended_by = trip.newest_at, why
            self.closed.append(trip)

    def _end_if_gone(self, move: Move, unit_price: Decimal) -> None:
        """By the rules and the price of this exit (money.md 3.4)."""
        trip = self.trade
        assert trip is not None
        left = self.of_trade.quantity
        if left and not self._is_too_little(move, left, unit_price):
            return
        for lot in self.of_trade.take_all():
            self.of_stack.add(lot)
        trip.closed_at, trip.ended_by = move.time, move.kind
        self.trade = None
        self.closed.append(trip)

    def _is_too_little(self, move: Move, quantity: Decimal, unit_price: Decimal) -> bool:
        symbol, unit = self.pair
        if move.symbol and move.kind == "sold":
            symbol, unit = move.symbol, move.unit
        rules = self._rules_at(symbol, move.time) if symbol else None
        if rules is None:
            return False
        return quantity < rules.step_size or quantity * unit_price < rules.min_notional * unit

    def _stack_trip(self, move: Move) -> CoinTrip:
        order = move.order or ("", "row", move.id)
        trip = self._stack_trips.get(order)
        if trip is None:
            symbol = move.symbol or self.coin
            trip = self._stack_trips[order] = CoinTrip(
                f"{self.account}:spot:{symbol}:{self.coin}:STACK:{move.id}",
                move.time,
                ended_by=move.kind,
                kind="stack",
                symbol=symbol,
                newest_at=move.time,
            )
            self.closed.append(trip)
        if trip.ended_by == "fee":
            trip.ended_by = move.kind  # what it was a fee of says more
        return trip

    # --- what came of it --------------------------------------------------------------------------

    def trades(self) -> Iterable[Trade]:
        for trip in self.closed:
            yield self._as_trade(trip)
        if self.trade is not None:
            yield self._as_trade(self.trade)

    def position(self) -> Position | None:
        """None while nothing is held."""
        trade, stack = self.of_trade, self.of_stack
        quantity = trade.quantity + stack.quantity
        if not quantity:
            return None
        known = trade.known_quantity + stack.known_quantity
        cost, fees = trade.cost + stack.cost, trade.fees + stack.fees
        trip = self.trade
        return Position(
            symbol=self.pair[0] or self.coin,
            quantity=quantity,
            average_price=cost / quantity if known else None,
            realized_gross=trip.gross if trip else ZERO,
            fees=(trip.fees if trip else ZERO) + fees,
            funding=ZERO,
            account=self.account,
            known_quantity=known,
            asset=self.coin,
            trade_quantity=trade.quantity,
            stack_quantity=stack.quantity,
            cost=cost,
            entry_fees=fees,
            trade_cost=trade.cost,
            trade_fees=trade.fees,
        )

    @property
    def tax_cost(self) -> Decimal:
        """Cost and entry fees of what is still held, by the tax view."""
        return self.tax.lots.cost + self.tax.lots.fees

    def _as_trade(self, trip: CoinTrip) -> Trade:
        is_open = trip.closed_at is None
        matched, gross, fees = trip.matched, trip.gross, trip.fees
        quantity = trip.entry_quantity if is_open else matched
        entry = trip.entry_value if is_open else trip.cost
        return Trade(
            key=trip.key,
            symbol=trip.symbol,
            direction="LONG",
            opened_at=trip.opened_at,
            closed_at=trip.closed_at,
            quantity=quantity,
            entry_price=entry / quantity if quantity else ZERO,
            exit_price=(trip.cost + gross) / matched if matched else None,
            gross=gross,
            fees=fees,
            funding=ZERO,
            net=gross - fees,
            fill_ids=tuple(dict.fromkeys(id for _, id in trip.fills)),
            kind=trip.kind,
            asset=self.coin,
            matches=tuple(trip.matches),
            fills=tuple(trip.fills),
            ended_by=trip.ended_by,
            apart=trip.apart / matched if matched else ZERO,
            ends_older=trip.ends_older,
            past=trip.past,
        )

    def _place(self, move: Move, *, is_opening: bool = False) -> Place:
        """Lots of one instant stand as what brought them is ordered, then by their ids."""
        kind, number = number_of(move.id)
        order = (move.rank[1], kind, number, move.rank[4])
        return (0 if is_opening else 1, move.time, order)
