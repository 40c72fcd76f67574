"""Spot orders: locked balances, fills against the tape, fees in the received coin or in BNB."""

import secrets
from collections.abc import Callable

from simulator.accounts import filters
from simulator.accounts.records import SPOT, Account, Fill, Order
from simulator.accounts.refusals import NO_BALANCE, UNKNOWN_ORDER, Refusal, filter_failure
from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.tape import Trade

# Parts of a million: 0.1 %, and a quarter less when it is paid in BNB.
FEE, FEE_IN_BNB = 1000, 750
MILLION = 1_000_000
MOST_AMENDS = 10
# Stop orders of a symbol that may wait at once.
MOST_STOPS = 5

# (account, order, fill, execution type, order's client id before a cancel)
Tell = Callable[[Account, Order, Fill | None, str], None]


class SpotDesk:
    """`tell` hears of every change of an order; `price_in_quote(asset, quote)` values BNB."""

    def __init__(self, tell: Tell, price_in_quote: Callable[[str, str], int]) -> None:
        self._tell = tell
        self._price_in_quote = price_in_quote

    # --- orders ---------------------------------------------------------------------------------

    def check(self, account: Account, order: Order, rules: Listing, last_price: int) -> None:
        """Raises Refusal for an order that may not be placed."""
        open_orders = account.open_orders(SPOT)
        mine = [other for other in open_orders if other.symbol == order.symbol]
        filters.check(order, rules, last_price, len(mine))
        if order.stop_price and sum(other.is_waiting for other in mine) >= MOST_STOPS:
            raise filter_failure("MAX_NUM_ALGO_ORDERS")
        self.check_name(account, order)

    def check_name(self, account: Account, order: Order) -> None:
        """A client id is free again when its order is not open any more. Raises Refusal."""
        for other in account.open_orders(SPOT):
            is_same = (other.symbol, other.client_id) == (order.symbol, order.client_id)
            if is_same and other is not order:
                raise Refusal(-2010, "Duplicate order sent.")

    def accept(self, account: Account, order: Order, rules: Listing, last_price: int) -> None:
        """Lock what it needs, and say NEW. Raises Refusal."""
        self.lock(account, order, rules, last_price)
        account.orders[order.id] = order
        self._tell(account, order, None, "NEW")

    def lock(self, account: Account, order: Order, rules: Listing, last_price: int) -> None:
        """Raises Refusal."""
        asset, amount = self.needed(account, order, rules, last_price)
        holding = account.holding(asset)
        if holding.free < amount:
            raise Refusal(-2010, NO_BALANCE)
        holding.free -= amount
        holding.locked += amount
        order.locked = amount

    def needed(
        self, account: Account, order: Order, rules: Listing, last_price: int
    ) -> tuple[str, int]:
        """The asset that it pays with, and how much it has to hold back."""
        if not order.is_buy:
            price = last_price * 99 // 100
            return rules.base, order.quantity or -(-order.quote_quantity * UNIT // price)
        price = order.price or max(last_price, order.stop_price) * 101 // 100
        amount = order.quote_quantity or -(-price * order.quantity // UNIT)
        free = account.holding(rules.quote).free
        if order.is_market and not order.is_by_value and free * 100 >= amount * 99:
            amount = min(amount, free)
        return rules.quote, amount

    def most(self, account: Account, order: Order, price: int, rules: Listing) -> int:
        """How much of an order may be filled at a price."""
        if order.is_by_value:
            left = (order.quote_quantity - order.quote) * UNIT // price
        else:
            left = order.left
        if order.is_buy:
            cash = account.holding(rules.quote)
            return min(left, (order.locked + max(0, cash.free)) * UNIT // price)
        return min(left, order.locked + max(0, account.holding(rules.base).free))

    def fill(
        self,
        account: Account,
        order: Order,
        trade: Trade,
        quantity: int,
        rules: Listing,
        *,
        is_maker: bool,
    ) -> Fill:
        """Part or all of an order by one trade of the tape."""
        quote = trade.price * quantity // UNIT
        base, cash = account.holding(rules.base), account.holding(rules.quote)
        if order.is_buy:
            spent = min(quote, order.locked)
            cash.locked -= spent
            cash.free -= quote - spent
            order.locked -= spent
            base.free += quantity
        else:
            given = min(quantity, order.locked)
            base.locked -= given
            base.free -= quantity - given
            order.locked -= given
            cash.free += quote
        commission, asset = self._fee(account, order, quantity, quote, rules)
        account.holding(asset).free -= commission
        order.executed += quantity
        order.quote += quote
        order.updated = trade.time // 1000
        if order.is_by_value:
            is_done = order.quote + quote_step(trade.price, rules) > order.quote_quantity
        else:
            is_done = order.left <= 0
        order.status = "FILLED" if is_done else "PARTIALLY_FILLED"
        if is_done:
            self._release(account, order, rules)
        fill = Fill(
            SPOT,
            order.symbol,
            trade.id,
            order.id,
            order.side,
            trade.price,
            quantity,
            quote,
            commission,
            asset,
            trade.time // 1000,
            is_maker,
        )
        account.fills.append(fill)
        account.updated = fill.time
        self._tell(account, order, fill, "TRADE")
        return fill

    def end(self, account: Account, order: Order, rules: Listing, status: str, now_ms: int) -> None:
        """CANCELED or EXPIRED: what is left is given back."""
        order.status, order.updated = status, now_ms
        self._release(account, order, rules)
        self._tell(account, order, None, status)

    def amend(
        self,
        account: Account,
        order: Order,
        rules: Listing,
        quantity: int,
        client_id: str,
        now_ms: int,
    ) -> None:
        """Keep priority, reduce the quantity. Raises Refusal."""
        if not order.is_open or order.is_pending:
            raise Refusal(-2038, UNKNOWN_ORDER)
        if not order.executed < quantity < order.quantity or quantity % rules.step:
            raise Refusal(-2038, "Order amend (quantity) is not supported: expected less.")
        if len(order.amends) >= MOST_AMENDS:
            raise Refusal(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
        order.amends.append((now_ms, order.quantity, quantity, order.client_id))
        spared = order.quantity - quantity
        back = spared if not order.is_buy else order.price * spared // UNIT
        holding = account.holding(rules.quote if order.is_buy else rules.base)
        back = min(back, order.locked)
        holding.locked -= back
        holding.free += back
        order.locked -= back
        order.quantity, order.updated = quantity, now_ms
        order.client_id = client_id or secrets.token_urlsafe(16)[:22]
        self._tell(account, order, None, "REPLACED")

    def _release(self, account: Account, order: Order, rules: Listing) -> None:
        holding = account.holding(rules.quote if order.is_buy else rules.base)
        holding.locked -= order.locked
        holding.free += order.locked
        order.locked = 0

    def _fee(
        self, account: Account, order: Order, quantity: int, quote: int, rules: Listing
    ) -> tuple[int, str]:
        price = self._price_in_quote("BNB", rules.quote)
        if account.pays_in_bnb and price and "BNB" not in {rules.base}:
            commission = quote * FEE_IN_BNB * UNIT // (MILLION * price)
            if 0 < commission <= account.holding("BNB").free:
                return commission, "BNB"
        if order.is_buy:
            return quantity * FEE // MILLION, rules.base
        return quote * FEE // MILLION, rules.quote


def quote_step(price: int, rules: Listing) -> int:
    """What the smallest quantity costs."""
    return -(-price * rules.step // UNIT)
