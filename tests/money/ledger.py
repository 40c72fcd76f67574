"""The coins of an account in one view (money.md §2): what every row does to them."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.coins import Coin
from tests.money.lots import ZERO, Lot, Match
from tests.money.rows import Change, Fill, Flow, Payment
from tests.money.rules import Rules
from tests.money.trades import Trade
from tests.money.valuing import Worths, prices_of
from tests.money.wallet import Wallet
from tests.money.worth import CASH, DOLLARS


class Ledger:
    def __init__(self, case: dict[str, Any], method: str, *, is_tax: bool, rules: Rules) -> None:
        self.method = method
        self.is_tax = is_tax
        self.rules = rules
        self.marks = {(symbol, int(id_)) for symbol, id_ in case.get("set_aside", [])}
        self.kept = {(symbol, int(id_)) for symbol, id_ in case.get("keep", [])}
        self.problems: list[tuple[str, str]] = []
        self.prices = prices_of(case, self.complain)
        self.worths = Worths(self.prices)
        rules.prices = self.prices
        self.wallet = Wallet()
        self.coins: dict[str, Coin] = {}
        self.closed: list[Trade] = []
        self.matches: list[Match] = []
        # what is realised without a match: funding, and what counts as a contract's fee (§5.4)
        self.payments = ZERO
        self.apart_payments = ZERO
        self.arrivals = 0

    @property
    def realised(self) -> Fraction:
        return sum((match.net for match in self.matches), self.payments)

    @property
    def apart(self) -> Fraction:
        return sum((match.apart for match in self.matches), self.apart_payments)

    def complain(self, kind: str, subject: str) -> None:
        if (kind, subject) not in self.problems:
            self.problems.append((kind, subject))

    def book(self, coin: str) -> Coin:
        if coin not in self.coins:
            self.coins[coin] = Coin(
                self.method, is_tax=self.is_tax, is_gone=self.rules.is_gone, closed=self.closed
            )
        return self.coins[coin]

    # --- fills -----------------------------------------------------------------------------

    def fill(self, fill: Fill) -> None:
        """§2.1, §2.3, §2.5: the given side leaves, the got side comes, then the fee leaves."""
        worth = self.worths.of_fill(fill)
        fee = self.worths.of_fee(fill, worth or ZERO)
        if fill.base in CASH and fill.quote in CASH:
            self._exchange(fill.given, fill.got, worth or ZERO, fee, fill.time)
            self.pay_fee(fill.fee_coin, fill.fee, fee, fill.time)
            return
        is_buy = fill.side == "BUY"
        kind, pair = ("spent", None) if is_buy else ("sold", fill.symbol)
        exit_fee, entry_fee = (ZERO, fee) if is_buy else (fee, ZERO)
        self.leave(kind, *fill.given, worth or ZERO, fill.time, fee=exit_fee, pair=pair)
        coin, quantity = fill.got
        cost = worth
        if fill.fee_coin == coin and fill.fee > 0 and coin not in CASH:
            quantity -= fill.fee
            cost = None if worth is None else worth - fee
        if is_buy:
            kept = (fill.symbol, fill.id) in self.kept
            self.buy(coin, quantity, cost, fill.time, entry_fee, pair=fill.symbol, is_kept=kept)
        else:
            self.arrive(coin, quantity, cost, fill.time)
        if fill.fee_coin != coin or fill.fee < 0 or coin in CASH:
            self.pay_fee(fill.fee_coin, fill.fee, fee, fill.time)
        if (fill.symbol, fill.id) in self.marks and not self.is_tax:
            self.book(fill.base).set_aside()

    def _exchange(
        self,
        given: tuple[str, Fraction],
        got: tuple[str, Fraction],
        worth: Fraction,
        fee: Fraction,
        now: datetime,
    ) -> None:
        """§2.5: between cash; only two dollars differ."""
        paid = given[1] if given[0] in DOLLARS else worth
        brought = got[1] if got[0] in DOLLARS else worth
        self.wallet.move(given[0], -given[1], -paid)
        self.wallet.move(got[0], got[1], brought)
        self.matches.append(Match("exchange", now, given[1], paid, brought, fee))

    def pay_fee(self, coin: str, amount: Fraction, worth: Fraction, now: datetime) -> None:
        """§2.3: of another coin a match of kind `fee`; a negative one comes into the stack."""
        if amount > 0:
            self.leave("fee", coin, amount, worth, now)
        elif amount < 0:
            known = self.prices.quietly(coin, now) is not None
            self.arrive(coin, -amount, -worth if known else None, now)

    # --- what else comes, goes and changes ---------------------------------------------------

    def change(self, change: Change) -> None:
        """§2.1: conversions, dust, and coins that the exchange swaps."""
        if change.kind == "swap":
            self._swap(change)
            return
        (given, paid), (got, brought), now = change.given, change.got, change.time
        worth = self.worths.of_change(change)
        if given in CASH and got in CASH:
            self._exchange(change.given, change.got, worth or ZERO, ZERO, now)
            return
        kind = "converted" if change.kind == "convert" else "dusted"
        self.leave(kind, given, paid, worth or ZERO, now)
        if change.kind == "convert":
            self.buy(got, brought, worth, now)
        else:
            self.arrive(got, brought, worth, now)

    def _swap(self, change: Change) -> None:
        """§2.1: cost and dates stay, under the new name and ratio; a trade is set aside first."""
        (given, paid), (got, brought), now = change.given, change.got, change.time
        book = self.book(given)
        if not self.is_tax:
            book.set_aside()
        if paid > book.quantity:
            self._bring_missing(given, paid, (self.worths.price(given, now) or ZERO) * paid, now)
        for lot in book.stack.take(paid):
            share = lot.quantity / paid
            moved = Lot(lot.time, lot.number, brought * share, lot.cost, lot.fee, lot.is_unknown)
            self.book(got).arrive(moved)
        self.wallet.move(given, -paid, ZERO)
        self.wallet.move(got, brought, ZERO)

    def flow(self, flow: Flow) -> None:
        """§2.1, §2.6, §4.1."""
        price = self.worths.price(flow.coin, flow.time)
        worth = None if price is None else price * abs(flow.amount)
        dollars = worth or ZERO
        if flow.amount > 0:
            is_opening = flow.kind == "opening"
            self.arrive(flow.coin, flow.amount, worth, flow.time, is_opening=is_opening)
        else:
            kinds = {"withdrawal": "withdrawn", "network_fee": "fee"}
            kind = kinds.get(flow.kind, "paid")
            self.leave(kind, flow.coin, -flow.amount, dollars, flow.time)
        if flow.kind == "opening":
            self.wallet.opening += dollars
        elif flow.kind == "deposit":
            self.wallet.deposits += dollars
        elif flow.kind == "withdrawal":
            self.wallet.withdrawals += dollars
        else:
            self.wallet.income += dollars if flow.amount > 0 else -dollars

    def pay(self, payment: Payment) -> Fraction:
        """§5.3: the coin of a payment comes or leaves at its worth, which is answered signed."""
        price = self.worths.price(payment.coin, payment.time)
        worth = None if price is None else price * abs(payment.amount)
        if payment.amount > 0:
            self.arrive(payment.coin, payment.amount, worth, payment.time)
            return worth or ZERO
        self.leave("paid", payment.coin, -payment.amount, worth or ZERO, payment.time)
        return -(worth or ZERO)

    # --- lots --------------------------------------------------------------------------------

    def arrive(
        self,
        coin: str,
        quantity: Fraction,
        worth: Fraction | None,
        now: datetime,
        *,
        is_opening: bool = False,
    ) -> None:
        """Into the stack at its worth; None is an arrival without any price (§4.4)."""
        self.wallet.move(coin, quantity, worth or ZERO)
        if coin not in CASH:
            unknown = is_opening or worth is None
            self.book(coin).arrive(
                Lot(now, self._number(is_opening), quantity, worth or ZERO, ZERO, unknown)
            )

    def buy(
        self,
        coin: str,
        quantity: Fraction,
        cost: Fraction | None,
        now: datetime,
        fee: Fraction = ZERO,
        *,
        pair: str | None = None,
        is_kept: bool = False,
    ) -> None:
        """Into the open trade (§3.2)."""
        self.wallet.move(coin, quantity, cost or ZERO)
        if coin not in CASH:
            lot = Lot(now, self._number(), quantity, cost or ZERO, fee, cost is None)
            self.book(coin).buy(lot, pair, is_kept=is_kept)

    def leave(
        self,
        kind: str,
        coin: str,
        quantity: Fraction,
        worth: Fraction,
        now: datetime,
        *,
        fee: Fraction = ZERO,
        pair: str | None = None,
    ) -> None:
        """Out, at the worth of the whole; `fee` is its own exit fee in dollars."""
        if coin not in CASH:
            self._bring_missing(coin, quantity, worth, now)
            self.matches += self.book(coin).leave(
                kind, quantity, worth / quantity, now, fee=fee, pair=pair
            )
        self.wallet.move(coin, -quantity, -worth)

    def _bring_missing(self, coin: str, quantity: Fraction, worth: Fraction, now: datetime) -> None:
        """§2.7: what leaves beyond everything held comes in at that moment's worth."""
        missing = quantity - self.book(coin).quantity
        if missing > 0:
            share = worth * missing / quantity
            self.complain("oversold", coin)
            self.wallet.deposits += share
            self.wallet.move(coin, missing, share)
            self.book(coin).arrive(Lot(now, self._number(), missing, share, ZERO, True))

    def _number(self, is_opening: bool = False) -> int:
        self.arrivals += 1
        return -1 if is_opening else self.arrivals
