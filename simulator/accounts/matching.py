"""Orders meet the tape: what crosses the book is taken, the rest waits for the tape's own trades.
Stops wait for their price, order lists for each other."""

from collections.abc import Iterable
from dataclasses import replace

from simulator.accounts import filters
from simulator.accounts.futures import FuturesDesk
from simulator.accounts.lists import ListDesk
from simulator.accounts.records import SPOT, USDM, Account, Fill, Order
from simulator.accounts.refusals import UNKNOWN_ORDER, Refusal
from simulator.accounts.spot import SpotDesk
from simulator.accounts.waiting import OrderList
from simulator.amounts import UNIT
from simulator.exchange import Exchange, Listed
from simulator.faults import Faults
from simulator.sources.generator import Generated
from simulator.tape import Trade


class Matching:
    """Both markets; who owns the accounts says what is told of them."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.faults: Faults = exchange.faults
        self.spot = SpotDesk(self._tell, self._price)
        self.futures = FuturesDesk(self._tell, self.next_id)
        self.lists = ListDesk(self, self._tell, self._tell_list)
        self._resting: dict[tuple[str, str], list[tuple[Account, Order]]] = {}

    def next_id(self) -> int:
        raise NotImplementedError

    def _tell(self, account: Account, order: Order, fill: Fill | None, kind: str) -> None:
        raise NotImplementedError

    def _tell_list(self, account: Account, group: OrderList) -> None:
        raise NotImplementedError

    # --- the market -----------------------------------------------------------------------------

    def now_ms(self) -> int:
        return self.exchange.now() // 1000

    def listed(self, market: str, symbol: str) -> Listed:
        """Raises Refusal."""
        listed = self.exchange.markets[market].listed.get(symbol)
        if listed is None:
            raise Refusal(-1121, "Invalid symbol.")
        return listed

    def last_price(self, market: str, symbol: str) -> int:
        shown = self.listed(market, symbol).symbol
        last = shown.tape.last_market
        return last.price if last else shown.rules.price

    def mark_price(self, symbol: str) -> int:
        mark = self.listed(USDM, symbol).symbol.mark(self.exchange.now())
        return mark.price if mark else self.last_price(USDM, symbol)

    # --- orders ---------------------------------------------------------------------------------

    def place(self, account: Account, order: Order) -> list[Fill]:
        """Checked, taken as far as the book gives at once, the rest resting. Raises Refusal."""
        listed = self.listed(order.market, order.symbol)
        rules, price = listed.symbol.rules, self.last_price(order.market, order.symbol)
        self.check(account, order)
        if order.type in {"LIMIT_MAKER"} or order.time_in_force == "GTX":
            self.check_making(order)
        if order.market == SPOT:
            self.spot.accept(account, order, rules, price)
        else:
            self.futures.accept(account, order)
        known = len(account.fills)
        self.begin(account, order)
        return account.fills[known:]

    def begin(self, account: Account, order: Order) -> None:
        """An accepted order waits for its stop price, or takes what there is."""
        if order.is_waiting:
            self.rest(account, order)
        else:
            self._take(account, order, self.listed(order.market, order.symbol))

    def check(self, account: Account, order: Order) -> None:
        """Raises Refusal for an order that may not be placed."""
        listed = self.listed(order.market, order.symbol)
        desk = self.spot if order.market == SPOT else self.futures
        price = self.last_price(order.market, order.symbol)
        desk.check(account, order, listed.symbol.rules, price)
        if order.is_waiting and _is_reached(order, price):
            raise Refusal(-2010, "Stop price would trigger immediately.")

    def check_filters(self, order: Order) -> None:
        """What does not depend on balances. Raises Refusal."""
        rules = self.listed(order.market, order.symbol).symbol.rules
        filters.check(order, rules, self.last_price(order.market, order.symbol), 0)

    def check_making(self, order: Order) -> None:
        """Raises Refusal for an order that would take though it may only make."""
        bid, _, ask, _ = self.listed(order.market, order.symbol).symbol.source.book.best()
        if (order.is_buy and ask and order.price >= ask) or (
            not order.is_buy and bid and order.price <= bid
        ):
            if order.market == SPOT:
                raise Refusal(-2010, "Order would immediately match and take.")
            raise Refusal(
                -5022,
                "Due to the order could not be executed as maker, the Post Only order will be "
                "rejected. The order will not be recorded in the order history",
            )

    def cancel(
        self, account: Account, order: Order, status: str = "CANCELED", reason: str = ""
    ) -> None:
        """Or its end by the exchange, EXPIRED. Raises Refusal."""
        if not order.is_open:
            raise Refusal(-2011, UNKNOWN_ORDER)
        self._unrest(account, order)
        order.reason = reason
        if order.market == USDM:
            self.futures.end(account, order, status, self.now_ms())
            return
        rules = self.listed(SPOT, order.symbol).symbol.rules
        self.spot.end(account, order, rules, status, self.now_ms())
        self.lists.ended(account, order)

    def modify(self, account: Account, order: Order, quantity: int, price: int) -> None:
        """A futures limit order at the end of the queue again, changed. Raises Refusal."""
        changed = replace(order, quantity=quantity, price=price)
        rules = self.listed(order.market, order.symbol).symbol.rules
        filters.check(changed, rules, self.last_price(order.market, order.symbol), 0)
        if order.executed and quantity <= order.executed:
            self.cancel(account, order)
            return
        if order.time_in_force == "GTX":
            try:
                self.check_making(changed)
            except Refusal:
                self.cancel(account, order)
                return
        order.amends.append((self.now_ms(), order.quantity, quantity, order.client_id))
        self._unrest(account, order)
        order.quantity, order.price, order.updated = quantity, price, self.now_ms()
        self._tell(account, order, None, "AMENDMENT")
        self._take(account, order, self.listed(order.market, order.symbol))

    def _take(self, account: Account, order: Order, listed: Listed) -> None:
        """What crosses the book is taken now; on a replay the next trades of the tape fill it."""
        source = listed.symbol.source
        if isinstance(source, Generated):
            wanted = order.left
            if order.is_by_value:
                wanted = order.quote_quantity * UNIT // self.last_price(order.market, order.symbol)
            if order.time_in_force == "FOK" and listed.depth(order.is_buy, order.price) < wanted:
                self.cancel(account, order, "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED")
                return
            for trade in listed.take(order.is_buy, wanted, order.price, self.exchange.now()):
                self._fill(account, order, trade, trade.quantity, is_maker=False)
                if not order.is_open:
                    return
            if order.is_market:
                self.cancel(account, order, "EXPIRED", "INSUFFICIENT_LIQUIDITY")
                return
            if order.time_in_force in {"IOC", "FOK"}:
                self.cancel(account, order, "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
                return
        elif order.time_in_force in {"IOC", "FOK"} and not order.is_market:
            # a replay has nobody to take from at once
            self.cancel(account, order, "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
            return
        self.rest(account, order)

    def meet(self, listed: Listed, trades: Iterable[Trade]) -> None:
        """New trades of the tape fill what rests; a trade fills one order at most."""
        resting = self._resting.get((listed.symbol.rules.market, listed.symbol.rules.symbol))
        if not resting:
            return
        for trade in trades:
            for account, order in list(resting):
                if not order.is_open:
                    continue  # filled or cancelled while this list was walked
                if order.is_waiting:
                    self._trigger(account, order, trade, listed)
                elif _crosses(order, trade):
                    wanted = trade.quantity if order.is_by_value else order.left
                    self._fill(
                        account,
                        order,
                        trade,
                        min(wanted, trade.quantity),
                        is_maker=not order.is_market,
                    )
                    break

    def _trigger(self, account: Account, order: Order, trade: Trade, listed: Listed) -> None:
        if _is_reached(order, trade.price):
            order.is_triggered = True
            self.lists.started(account, order)
            self._unrest(account, order)
            self._take(account, order, listed)

    def _fill(
        self, account: Account, order: Order, trade: Trade, quantity: int, *, is_maker: bool
    ) -> None:
        """As much of it as may be: by value not more than was asked for, and never more than the
        account can pay or, where the order may only reduce, than its position holds."""
        rules = self.listed(order.market, order.symbol).symbol.rules
        desk = self.spot if order.market == SPOT else self.futures
        most = desk.most(account, order, trade.price, rules)
        quantity = min(quantity, most // rules.step * rules.step)
        if quantity <= 0:
            self.cancel(account, order, "EXPIRED", "INSUFFICIENT_LIQUIDITY")
            return
        self.lists.started(account, order)
        fill = desk.fill(account, order, trade, quantity, rules, is_maker=is_maker)
        self.lists.filled(account, order, fill)
        if not order.is_open:
            self._unrest(account, order)
            self.lists.ended(account, order)

    def expire(self, now_ms: int) -> None:
        """Orders with a date end at it."""
        for resting in list(self._resting.values()):
            for account, order in list(resting):
                if order.good_till and order.good_till <= now_ms:
                    self.cancel(account, order, "EXPIRED")

    def rest(self, account: Account, order: Order) -> None:
        self._resting.setdefault((order.market, order.symbol), []).append((account, order))

    def _unrest(self, account: Account, order: Order) -> None:
        resting = self._resting.get((order.market, order.symbol), [])
        self._resting[order.market, order.symbol] = [
            pair for pair in resting if pair[1] is not order
        ]

    def _price(self, asset: str, quote: str) -> int:
        """Last price of a pair; 0 when it is not listed."""
        pair = self.exchange.markets[SPOT].listed.get(f"{asset}{quote}")
        if pair is None:
            return 880 * UNIT if (asset, quote) == ("BNB", "USDT") else 0
        return self.last_price(SPOT, f"{asset}{quote}")


def _crosses(order: Order, trade: Trade) -> bool:
    """A taker of the other side at the order's price or a better one; a waiting market order takes
    whatever comes."""
    if order.is_market:
        return True
    if order.is_buy:
        return trade.is_buyer_maker and trade.price <= order.price
    return not trade.is_buyer_maker and trade.price >= order.price


def _is_reached(order: Order, price: int) -> bool:
    """A stop buys when the price has risen to it, a take-profit when it has fallen; sells the
    other way round."""
    rises = order.is_buy == order.type.startswith("STOP")
    return price >= order.stop_price if rises else price <= order.stop_price
