"""The lots of one coin of an account: its open trade and its stack (money.md §2, §3)."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from tests.money.lots import ZERO, Heap, Lot, Match, matched
from tests.money.trades import Trade

PAUSE = timedelta(days=60)
# §3.3: what leaves from the open trade's lots before the stack's
TRADE_FIRST = ("sold", "converted")


class Gone(Protocol):
    """Whether a remainder counts as gone (§3.4): (pair, quantity, dollars a unit, moment)."""

    def __call__(
        self, pair: str | None, quantity: Fraction, price: Fraction, now: datetime
    ) -> bool: ...


class Coin:
    """In the tax view (§3.8) all lots are in the stack and there are no trades."""

    def __init__(self, method: str, *, is_tax: bool, is_gone: Gone, closed: list[Trade]) -> None:
        self.method = method
        self.is_tax = is_tax
        self.is_gone = is_gone
        self.closed = closed
        self.stack = Heap(method)
        self.held = Heap(method)
        self.trade: Trade | None = None

    @property
    def quantity(self) -> Fraction:
        return self.stack.quantity + self.held.quantity

    def arrive(self, lot: Lot) -> None:
        """§3.2: whatever is not bought comes into the stack."""
        self.stack.add(lot)

    def buy(self, lot: Lot, pair: str | None, *, is_kept: bool) -> None:
        """§3.2, §3.6: opens or joins the trade, unless its newest fill is 60 days old."""
        if self.is_tax:
            self.stack.add(lot)
            return
        if self.trade and not is_kept and lot.time - self._newest >= PAUSE:
            self.set_aside()
        self.trade = self.trade or Trade("LONG")
        self.held.add(lot)
        self._touch(lot.time, pair)

    def set_aside(self) -> None:
        """§3.6: the trade ends with the matches it has; its lots go to the stack."""
        self.stack.add(*self.held.empty())
        if self.trade and self.trade.matches:
            self.closed.append(self.trade)
        self.trade = None

    def leave(
        self,
        kind: str,
        quantity: Fraction,
        price: Fraction,
        now: datetime,
        *,
        fee: Fraction = ZERO,
        pair: str | None = None,
    ) -> list[Match]:
        """§2.1, §3.3: matches of what is held; the caller has brought what was missing (§2.7).

        `price` is the exit's worth of one unit in dollars, `fee` of the whole exit; `pair` where
        the coin was sold on a pair of its own.
        """
        first, second = self.held, self.stack
        if kind not in TRADE_FIRST:
            first, second = second, first
        sizes = {id(first): min(quantity, first.quantity)}
        sizes[id(second)] = quantity - sizes[id(first)]
        own, others = (
            matched(
                heap.take(sizes[id(heap)]),
                method=self.method,
                kind=kind,
                time=now,
                price=price,
                unit_fee=fee / quantity,
            )
            for heap in (self.held, self.stack)
        )
        if self.trade and own:
            self.trade.matches += own
            self._touch(now, pair)
            self._close_if_gone(self.trade, pair, price, now)
        return own + others

    def _close_if_gone(
        self, trade: Trade, pair: str | None, price: Fraction, now: datetime
    ) -> None:
        """§3.4: an exit without a pair asks the rules of the last pair."""
        left = self.held.quantity
        if not left or self.is_gone(pair or trade.pair, left, price, now):
            self.stack.add(*self.held.empty())
            self.closed.append(trade)
            self.trade = None

    @property
    def _newest(self) -> datetime:
        assert self.trade and self.trade.newest
        return self.trade.newest

    def _touch(self, now: datetime, pair: str | None) -> None:
        assert self.trade
        self.trade.newest = now
        self.trade.pair = pair or self.trade.pair
