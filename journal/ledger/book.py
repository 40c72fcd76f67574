"""One book: the lots and round trips of one (account, market, symbol, position side)."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from journal.ledger.lots import Lots
from journal.ledger.records import ZERO, Fill, Match, Position, Problem, Rules, Trade, Transfer


@dataclass
class RoundTrip:
    """A trade while it is open. Values are price x quantity (inverse: quantity / price)."""

    key: str
    direction: str
    opened_at: Any
    entry_quantity: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_quantity: Decimal = ZERO
    exit_value: Decimal = ZERO
    gross: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    fill_ids: dict[str | int, None] = field(default_factory=dict)


@dataclass
class Results:
    """What the books of one group have produced, in the order of events."""

    matches: list[Match] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class Book:
    """`sign` is +1 while long, -1 while short, 0 while nothing is held."""

    def __init__(self, first: Fill, method: str, rules: Rules, results: Results) -> None:
        self.symbol, self.account, self.market = first.symbol, first.account, first.market
        self.position_side = first.position_side
        self.contract_size = first.contract_size
        self.is_inverse = first.market == "coinm"
        self.method = method
        self.rules = rules
        self.results = results
        self.sign = 0
        self.lots = Lots(method, False, self.is_inverse)
        self.trip: RoundTrip | None = None
        # the time of a closing fill that left a remainder too small to trade
        self.dust_at: Any = None

    def apply(self, fill: Fill, fee: Decimal, base_fee: Decimal) -> None:
        """`fee` is the whole fee in the quote asset, `base_fee` the part paid in the coin traded,
        which changes what is held: less of a purchase, more of a sale."""
        side = 1 if fill.side == "BUY" else -1
        quantity = fill.quantity - base_fee if side > 0 else fill.quantity + base_fee
        if quantity <= 0:
            self._problem("oversold", fill.id, fill.quantity, "the fee is as large as the purchase")
            return
        self.settle(fill.time)
        self.contract_size = fill.contract_size
        closing = min(quantity, self.lots.quantity) if self.sign == -side else ZERO
        opening = quantity - closing
        if opening and not self._may_open(side):
            self._problem(
                "oversold", fill.id, opening,
                f"{fill.side} of {quantity} {fill.symbol} with {self.lots.quantity} held: "
                f"{opening} left out, an earlier purchase is missing",
            )  # fmt: skip
            fee, opening = fee * closing / quantity, ZERO
        closing_fee = fee * closing / (closing + opening) if closing and opening else fee
        if closing:
            self._close(fill, closing, closing_fee)
        if opening:
            self._open(
                fill.id, fill.time, side, fill.price, opening,
                fee - closing_fee if closing else fee,
            )  # fmt: skip

    def transfer(self, item: Transfer) -> None:
        """In at a known cost is an entry without a fee; out takes lots away at their cost."""
        self.settle(item.time)
        if item.quantity > 0:
            if item.cost is None:
                self.sign = 1
                self.lots.add(item.id, None, item.quantity, ZERO, ZERO)
            else:
                self._enter(item.id, item.time, 1, item.cost / item.quantity, item.quantity,
                            item.cost, ZERO, f"transfer-{item.id}")  # fmt: skip
            return
        out = min(-item.quantity, self.lots.quantity)
        if out < -item.quantity:
            self._problem(
                "transfer_exceeds_holdings", item.id, -item.quantity - out,
                f"{-item.quantity} {item.asset} went out with {self.lots.quantity} held",
            )  # fmt: skip
        self.lots.take(out)
        if self.trip is not None:
            self.trip.fill_ids[item.id] = None
        self._end_if_flat(item.time, self.lots.average_price or ZERO)

    def add_funding(self, amount: Decimal) -> None:
        assert self.trip is not None
        self.trip.funding += amount

    def settle(self, time: Any) -> None:
        """A remainder too small to trade ends the round trip, once its moment is over."""
        if self.dust_at is not None and self.dust_at != time:
            self._end(self.dust_at)

    def position(self) -> Position | None:
        """None while nothing is held."""
        if not self.lots.quantity:
            return None
        trip = self.trip
        return Position(
            symbol=self.symbol,
            quantity=self.lots.quantity * self.sign,
            average_price=self.lots.average_price,
            realized_gross=trip.gross if trip else ZERO,
            fees=(trip.fees if trip else ZERO) + self.lots.fees,
            funding=trip.funding if trip else ZERO,
            account=self.account,
            market=self.market,
            position_side=self.position_side,
            known_quantity=self.lots.known_quantity * self.sign,
        )

    def open_trade(self) -> Trade | None:
        return None if self.trip is None else self._trade(self.trip, None)

    def _may_open(self, side: int) -> bool:
        if self.market == "spot" or self.position_side == "LONG":
            return side > 0
        return self.position_side == "BOTH" or side < 0

    def _open(
        self, fill_id: str | int, time: Any, side: int, price: Decimal, quantity: Decimal,
        fee: Decimal,
    ) -> None:  # fmt: skip
        value = self._value(price, quantity)
        self._enter(fill_id, time, side, price, quantity, value, fee, str(fill_id))

    def _enter(
        self, entry_id: str | int, time: Any, side: int, price: Decimal, quantity: Decimal,
        value: Decimal, fee: Decimal, key: str,
    ) -> None:  # fmt: skip
        if self.sign != side:
            self.sign = side
            self.lots = Lots(self.method, side < 0, self.is_inverse)
        self.dust_at = None
        trip = self._trip_for(key, time)
        trip.entry_quantity += quantity
        trip.entry_value += value
        trip.fill_ids[entry_id] = None
        self.lots.add(entry_id, price, quantity, value, fee)

    def _close(self, fill: Fill, quantity: Decimal, fee: Decimal) -> None:
        left, fee_left = quantity, fee
        for part in self.lots.take(quantity):
            exit_fee = fee_left if part.quantity == left else fee_left * part.quantity / left
            left, fee_left = left - part.quantity, fee_left - exit_fee
            if part.price is None:
                self._problem(
                    "unknown_cost", fill.id, part.quantity,
                    f"{part.quantity} {fill.symbol} came in by transfer {part.fill_id} at an "
                    "unknown cost: no profit is counted for it",
                )  # fmt: skip
                continue
            trip = self._trip_for(str(fill.id), fill.time)
            if part.fill_id not in trip.fill_ids:  # a residual lot becomes part of the trip
                trip.entry_quantity += part.quantity
                trip.entry_value += part.value
            gross = self._gross(part.value, fill.price, part.quantity)
            fees = part.fee + exit_fee
            self.results.matches.append(
                Match(
                    part.fill_id, fill.id, part.quantity, part.price, fill.price, gross, fees,
                    gross - fees,
                )
            )  # fmt: skip
            trip.gross += gross
            trip.fees += fees
            trip.exit_quantity += part.quantity
            trip.exit_value += self._value(fill.price, part.quantity)
        if self.trip is not None:
            self.trip.fill_ids[fill.id] = None
        self._end_if_flat(fill.time, fill.price)

    def _end_if_flat(self, time: Any, price: Decimal) -> None:
        """Nothing of known cost is left, or too little to trade."""
        if not self.lots.known_quantity:
            self._end(time)
        elif self._is_dust(max(price, self.lots.average_price or ZERO)):
            self.dust_at = time

    def _is_dust(self, price: Decimal) -> bool:
        """By the dearer of exit and entry, so that one odd price cannot end a large position."""
        quantity = self.lots.known_quantity
        notional = quantity * self.contract_size * (1 if self.is_inverse else price)
        return quantity < self.rules.step_size or notional < self.rules.min_notional

    def _end(self, time: Any) -> None:
        self.dust_at = None
        if not self.lots.quantity:
            self.sign = 0
        if self.trip is not None and self.trip.exit_quantity:
            self.results.trades.append(self._trade(self.trip, time))
        self.trip = None  # one that only went away by transfer is no round trip

    def _trip_for(self, key: str, time: Any) -> RoundTrip:
        if self.trip is None:
            direction = "LONG" if self.sign > 0 else "SHORT"
            place = f"{self.account}:{self.market}:{self.symbol}:{self.position_side}"
            self.trip = RoundTrip(f"{place}:{direction}:{key}", direction, time)
        return self.trip

    def _trade(self, trip: RoundTrip, closed_at: Any) -> Trade:
        quantity = trip.entry_quantity
        return Trade(
            key=trip.key,
            symbol=self.symbol,
            direction=trip.direction,
            opened_at=trip.opened_at,
            closed_at=closed_at,
            quantity=quantity,
            entry_price=self._average(trip.entry_value, quantity) or ZERO,
            exit_price=self._average(trip.exit_value, trip.exit_quantity),
            gross=trip.gross,
            fees=trip.fees,
            funding=trip.funding,
            net=trip.gross - trip.fees + trip.funding,
            fill_ids=tuple(trip.fill_ids),
        )

    def _gross(self, entry_value: Decimal, exit: Decimal, quantity: Decimal) -> Decimal:
        """Linear: (exit - entry) x quantity x size. Inverse, in the coin: (1/entry - 1/exit) x
        quantity x size. A short has the other sign."""
        exit_value = self._value(exit, quantity)
        gained = entry_value - exit_value if self.is_inverse else exit_value - entry_value
        return gained * self.contract_size * self.sign

    def _value(self, price: Decimal, quantity: Decimal) -> Decimal:
        return quantity / price if self.is_inverse else quantity * price

    def _average(self, value: Decimal, quantity: Decimal) -> Decimal | None:
        if not quantity:
            return None
        if self.is_inverse:
            return quantity / value if value else None
        return value / quantity

    def _problem(self, kind: str, fill_id: str | int, quantity: Decimal, message: str) -> None:
        self.results.problems.append(Problem(kind, fill_id, quantity, message))
