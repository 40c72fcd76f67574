"""The book of one contract by side, and where it begins (money.md §3.1, §4.2, §4.5, §5.2)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from tests.money.lots import ZERO, Heap, Lot, Match, matched
from tests.money.rows import Fill
from tests.money.trades import Trade

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Opening:
    """Signed quantity, and dollars a unit."""

    quantity: Fraction
    entry: Fraction


class Contract:
    """`quantity` is signed. `entry` is the average by the exchange's rule, whatever the method."""

    def __init__(self, method: str, closed: list[Trade], opening: Opening | None = None) -> None:
        self.method = method
        self.closed = closed
        self.heap = Heap(method)
        self.quantity = ZERO
        self.entry = ZERO
        self.trade: Trade | None = None
        # what was held after each fill: (time, trade, signed quantity)
        self.past: list[tuple[datetime, Trade | None, Fraction]] = []
        self.numbers = 0
        if opening:
            self._enter(opening.quantity, opening.entry, ZERO, BEFORE_ALL, is_opening=True)
        self._remember(BEFORE_ALL)

    def fill(self, fill: Fill, fee: Fraction) -> tuple[list[Match], Fraction]:
        """The matches, and what the exchange realises by its rule (§4.5). A flip splits (§3.1)."""
        closing = ZERO
        if self.quantity * fill.signed < 0:
            closing = min(fill.quantity, abs(self.quantity))
        fee_of_exit = fee * closing / fill.quantity
        matches: list[Match] = []
        realised = ZERO
        if closing:
            matches, realised = self._leave(closing, fill.price, fee_of_exit, fill.time)
        rest = fill.quantity - closing
        if rest:
            signed = rest if fill.signed > 0 else -rest
            self._enter(signed, fill.price, fee - fee_of_exit, fill.time)
        self._remember(fill.time)
        return matches, realised

    def deliver(self, amount: Fraction, now: datetime) -> list[Match]:
        """§5.2: exit price = entry ± amount ÷ quantity by the average entry."""
        price = self.entry + amount / self.quantity
        matches, _ = self._leave(abs(self.quantity), price, ZERO, now)
        self._remember(now)
        return matches

    def before(self, instant: datetime) -> tuple[Trade | None, Fraction]:
        """§5.1: what was held by the fills before an instant."""
        _, trade, quantity = [moment for moment in self.past if moment[0] < instant][-1]
        return trade, quantity

    def unrealised(self, price: Fraction) -> Fraction:
        """§2.2: after the entry fees of what is still open, by the method's lots."""
        return price * self.quantity - self._sign * self.heap.cost - self.heap.fee

    def floating(self, price: Fraction) -> Fraction:
        """What the exchange calls unrealised: by average entry, without fees."""
        return (price - self.entry) * self.quantity

    @property
    def _sign(self) -> int:
        return 1 if self.quantity > 0 else -1

    def _enter(
        self,
        signed: Fraction,
        price: Fraction,
        fee: Fraction,
        now: datetime,
        *,
        is_opening: bool = False,
    ) -> None:
        cost = price * abs(signed)
        self.numbers += 1
        number = -1 if is_opening else self.numbers
        self.heap.add(Lot(now, number, abs(signed), cost, fee, is_opening))
        held = abs(self.quantity)
        self.entry = (self.entry * held + cost) / (held + abs(signed))
        self.quantity += signed
        self.trade = self.trade or Trade("LONG" if signed > 0 else "SHORT")

    def _leave(
        self, size: Fraction, price: Fraction, fee: Fraction, now: datetime
    ) -> tuple[list[Match], Fraction]:
        assert self.trade
        sign = self._sign
        matches = matched(
            self.heap.take(size),
            method=self.method,
            kind="closed",
            time=now,
            price=price,
            unit_fee=fee / size,
            sign=sign,
        )
        self.trade.matches += matches
        self.quantity -= sign * size
        if not self.quantity:
            self.closed.append(self.trade)
            self.trade = None
        return matches, sign * (price - self.entry) * size

    def _remember(self, now: datetime) -> None:
        self.past.append((now, self.trade, self.quantity))


def opening_of(
    fills: list[Fill], now: Fraction | None, entry_now: Fraction | None, *, is_hedge: bool
) -> Opening | None:
    """§4.2: position now − Σ fills, and its entry. `fills` are of one book, in their order.

    Nothing told (`now` is None): a hedge side opens with what it would else fall below zero by.
    """
    total = sum((fill.signed for fill in fills), ZERO)
    quantity = now - total if now is not None else _least(fills) if is_hedge else ZERO
    return Opening(quantity, _entry(fills, quantity, entry_now)) if quantity else None


def _least(fills: list[Fill]) -> Fraction:
    sign = 1 if fills and fills[0].position_side == "LONG" else -1
    held, lowest = ZERO, ZERO
    for fill in fills:
        held += sign * fill.signed
        lowest = min(lowest, held)
    return -sign * lowest


def _entry(fills: list[Fill], opening: Fraction, entry_now: Fraction | None) -> Fraction:
    """§4.2: from the first closing fill, else the position's entry, else the first fill's price."""
    sign = 1 if opening > 0 else -1
    held, known = abs(opening), ZERO
    average = entry_now
    for fill in fills:
        if sign * fill.signed < 0:
            closed = min(fill.quantity, held)
            average = None
            if fill.realized is not None:
                average = fill.price - sign * fill.realized / closed
            break
        held += fill.quantity
        known += fill.amount
    if average is not None:
        return (average * held - known) / abs(opening)
    return fills[0].price if fills else entry_now or ZERO
