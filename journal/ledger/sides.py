"""The book of one side of a contract: flat to flat (money.md 3.1, 4.2, 4.5).

Amounts are in the asset that the contract settles in, which for USD-M is a dollar coin. Beside the
owner's method each book keeps the exchange's own rule, the average entry: what the exchange says
is compared with that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from journal.ledger.lots import Lot, Lots
from journal.ledger.moves import number_of
from journal.ledger.records import (
    ONE,
    ZERO,
    Fill,
    Funding,
    Id,
    Match,
    Opening,
    Position,
    Problem,
    Trade,
)
from journal.ledger.trips import Trip

# What the exchange's own rounding may leave of a fill's profit: it cuts at the eighth place, and
# keeps an entry price of limited places.
CUT = Decimal("0.000001")
CUT_SHARE = Decimal("1e-9")


@dataclass
class ContractTrip(Trip):
    """A round trip."""

    direction: str = "LONG"
    # fees returned or taken later, not of a fill
    other_fees: Decimal = ZERO
    funding: Decimal = ZERO
    # what the exchange booked, less the same by its own rule; what its rounding explains of it
    differs: Decimal = ZERO
    may_differ: Decimal = ZERO
    last_fill: Id = ""


class ContractBook:
    """`sign` is +1 while long, -1 while short, 0 while nothing is held."""

    def __init__(
        self, symbol: str, account: str, market: str, position_side: str, method: str
    ) -> None:
        self.symbol, self.account, self.market = symbol, account, market
        self.position_side = position_side
        self.contract_size = ONE
        self.is_inverse = market == "coinm"
        self.method = method
        self.sign = 0
        self.trip: ContractTrip | None = None
        self.last: ContractTrip | None = None
        self.closed: list[ContractTrip] = []
        self.problems: list[Problem] = []
        # by the exchange's rule: value and quantity of what is open, profit so far
        self.average_value = ZERO
        self.average_realized = ZERO
        self.lots = Lots(method)

    @property
    def quantity(self) -> Decimal:
        """Signed."""
        return self.lots.quantity * self.sign

    def open_with(self, opening: Opening) -> None:
        """What was held before the first known fill: its result is apart."""
        size = abs(opening.quantity)
        value = self._value(opening.price, size)
        self.sign = 1 if opening.quantity > 0 else -1
        self.lots = Lots(self.method, is_short=self.sign < 0)
        self.lots.add(Lot("opening", (0, opening.time, (0, 0)), size, value, ZERO, ONE))
        self.average_value = value
        trip = self._trip_for("opening", opening.time)
        trip.entry_quantity, trip.entry_value = size, value

    def apply(self, fill: Fill, fee: Decimal) -> None:
        """`fee` in the asset that the contract settles in."""
        side = 1 if fill.side == "BUY" else -1
        self.contract_size = fill.contract_size
        held = self.lots.quantity if self.sign == -side else ZERO
        closing = min(fill.quantity, held)
        opening = fill.quantity - closing
        if opening and not self._may_open(side):
            self._assume(fill, side, opening)
            closing, opening = fill.quantity, ZERO
        fee_left = fee
        if closing:
            part = fee * closing / fill.quantity if opening and fee else fee
            fee_left -= part
            self._close(fill.id, fill.time, fill.price, closing, part, realized=fill.realized)
        elif fill.realized:
            self._differ(fill.realized, fill)
        if opening:
            self._open(fill, side, opening, fee_left)

    def deliver(self, item: Funding) -> None:
        """The contract ended: what it paid closes everything (money.md 5.2)."""
        quantity = self.lots.quantity
        if not quantity:
            return
        entry = self.average_entry
        assert entry is not None
        price = entry + self.sign * item.amount / quantity
        self._close(item.id, item.time, price, quantity, ZERO, ended_by="delivery")

    def add_funding(self, amount: Decimal) -> str:
        assert self.trip is not None
        self.trip.funding += amount
        return self.trip.key

    def add_fee(self, fee: Decimal) -> str:
        """To the open trade, else to the one closed last. Returns its key."""
        trip = self.trip or self.last
        assert trip is not None
        trip.other_fees += fee
        return trip.key

    @property
    def average_entry(self) -> Decimal | None:
        """The exchange's own entry price."""
        quantity = self.lots.quantity
        if not quantity:
            return None
        if self.is_inverse:
            return quantity / self.average_value if self.average_value else None
        return self.average_value / quantity

    def position(self) -> Position | None:
        quantity = self.lots.quantity
        if not quantity:
            return None
        lots, trip = self.lots, self.trip
        assert trip is not None
        average = quantity / lots.cost if self.is_inverse and lots.cost else lots.cost / quantity
        return Position(
            symbol=self.symbol,
            quantity=quantity * self.sign,
            average_price=average,
            realized_gross=trip.gross,
            fees=trip.fees + trip.other_fees + lots.fees,
            funding=trip.funding,
            account=self.account,
            market=self.market,
            position_side=self.position_side,
            known_quantity=quantity * self.sign,
            asset=self.symbol,
            trade_quantity=quantity * self.sign,
            cost=lots.cost,
            entry_fees=lots.fees,
            trade_cost=lots.cost,
            trade_fees=lots.fees,
            exchange_entry=self.average_entry,
        )

    def trades(self) -> Iterable[Trade]:
        for trip in self.closed:
            yield self._as_trade(trip)
        if self.trip is not None:
            yield self._as_trade(self.trip)

    def _may_open(self, side: int) -> bool:
        if self.position_side == "LONG":
            return side > 0
        return self.position_side == "BOTH" or side < 0

    def _assume(self, fill: Fill, side: int, quantity: Decimal) -> None:
        """A side was closed that nothing known had opened: it was open before, at the entry that
        the exchange's own profit tells, else at this price."""
        price = fill.price
        if fill.realized is not None and not self.lots.quantity and not self.is_inverse:
            price += side * fill.realized / fill.quantity
        self.problems.append(
            Problem(
                "history_begins_inside_a_position",
                fill.id,
                quantity,
                f"{fill.side} of {fill.quantity} {fill.symbol} closes {quantity} that no known "
                "fill opened: its result is apart",
                asset=self.symbol,
                symbol=self.symbol,
                time=fill.time,
            )
        )
        value = self._value(price, quantity)
        self.sign = -side
        self.lots.is_short = self.sign < 0
        self.lots.add(Lot(f"opening-{fill.id}", (0, fill.time, (0, 0)), quantity, value, ZERO, ONE))
        self.average_value += value
        trip = self._trip_for(str(fill.id), fill.time)
        trip.entry_quantity += quantity
        trip.entry_value += value

    def _open(self, fill: Fill, side: int, quantity: Decimal, fee: Decimal) -> None:
        value = self._value(fill.price, quantity)
        if self.sign != side:
            self.sign = side
            self.lots = Lots(self.method, is_short=side < 0)
            self.average_value = ZERO
        trip = self._trip_for(str(fill.id), fill.time)
        trip.entry_quantity += quantity
        trip.entry_value += value
        trip.fills[fill.symbol, fill.id] = None
        trip.last_fill = fill.id
        self.average_value += value
        self.lots.add(Lot(fill.id, (1, fill.time, number_of(fill.id)), quantity, value, fee))

    def _close(
        self,
        id: Id,
        time: Any,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
        *,
        realized: Decimal | None = None,
        ended_by: str = "closed",
    ) -> None:
        trip = self.trip
        assert trip is not None
        held = self.lots.quantity
        left, fee_left = quantity, fee
        for part in self.lots.take(quantity):
            is_last = part.quantity == left
            exit_fee = fee_left if is_last or not fee else fee * part.quantity / quantity
            left, fee_left = left - part.quantity, fee_left - exit_fee
            gross = self._gross(part.cost, price, part.quantity)
            fees = part.fee + exit_fee
            trip.add(
                Match(
                    part.id,
                    id,
                    part.quantity,
                    self._average(part.cost, part.quantity),
                    price,
                    gross,
                    fees,
                    gross - fees,
                    "closed",
                    time,
                    part.opened_at,
                    self.symbol,
                    self.symbol,
                    part.apart,
                ),
                self._value(price, part.quantity),
            )
        if ended_by != "delivery":
            trip.fills[self.symbol, id] = None
            trip.last_fill = id
        pooled = self.average_value if quantity == held else self.average_value * quantity / held
        self.average_value -= pooled
        profit = self._gross(pooled, price, quantity)
        self.average_realized += profit
        if realized is not None:
            trip.differs += realized - profit
            trip.may_differ += CUT + abs(self._value(price, quantity)) * CUT_SHARE
        if not self.lots.quantity:
            self._end(time, ended_by)

    def _differ(self, realized: Decimal, fill: Fill) -> None:
        """The exchange booked a profit where nothing was closed by what is known."""
        self.problems.append(
            Problem(
                "exchange_differs",
                fill.id,
                fill.quantity,
                f"the exchange booked {realized} for {fill.side} of {fill.quantity} {fill.symbol}, "
                "by the known fills it closed nothing",
                asset=self.symbol,
                symbol=self.symbol,
                worth=abs(realized),
                time=fill.time,
            )
        )

    def _end(self, time: Any, ended_by: str) -> None:
        trip = self.trip
        assert trip is not None
        trip.closed_at, trip.ended_by = time, ended_by
        self.sign = 0
        self.trip, self.last = None, trip
        self.closed.append(trip)
        if abs(trip.differs) > trip.may_differ:
            mine = trip.gross
            self.problems.append(
                Problem(
                    "exchange_differs",
                    trip.last_fill,
                    trip.entry_quantity,
                    f"the exchange booked {mine + trip.differs} for {self.symbol}, by its own rule "
                    f"the known fills give {mine}",
                    asset=self.symbol,
                    symbol=self.symbol,
                    worth=abs(trip.differs),
                    time=time,
                )
            )

    def _trip_for(self, key: str, time: Any) -> ContractTrip:
        if self.trip is None:
            direction = "LONG" if self.sign > 0 else "SHORT"
            place = f"{self.account}:{self.market}:{self.symbol}:{self.position_side}"
            self.trip = ContractTrip(f"{place}:{direction}:{key}", time, direction=direction)
        return self.trip

    def _as_trade(self, trip: ContractTrip) -> Trade:
        gross, matched = trip.gross, trip.matched
        fees = trip.fees + trip.other_fees
        quantity = trip.entry_quantity
        return Trade(
            key=trip.key,
            symbol=self.symbol,
            direction=trip.direction,
            opened_at=trip.opened_at,
            closed_at=trip.closed_at,
            quantity=quantity,
            entry_price=self._average(trip.entry_value, quantity),
            exit_price=self._average(trip.out, matched) if matched else None,
            gross=gross,
            fees=fees,
            funding=trip.funding,
            net=gross - fees + trip.funding,
            fill_ids=tuple(dict.fromkeys(id for _, id in trip.fills)),
            asset=self.symbol,
            matches=tuple(trip.matches),
            fills=tuple(trip.fills),
            ended_by=trip.ended_by,
            apart=trip.apart / matched if matched else ZERO,
            past=trip.past,
        )

    def _gross(self, entry_value: Decimal, price: Decimal, quantity: Decimal) -> Decimal:
        """Linear: (exit - entry) x quantity x size. Inverse, in the coin: (1/entry - 1/exit) x
        quantity x size. A short has the other sign."""
        exit_value = self._value(price, quantity)
        gained = entry_value - exit_value if self.is_inverse else exit_value - entry_value
        return gained * self.contract_size * self.sign

    def _value(self, price: Decimal, quantity: Decimal) -> Decimal:
        return quantity / price if self.is_inverse else quantity * price

    def _average(self, value: Decimal, quantity: Decimal) -> Decimal:
        if self.is_inverse:
            return quantity / value if value else ZERO
        return value / quantity if quantity else ZERO
