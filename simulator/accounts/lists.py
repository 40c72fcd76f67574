"""Order lists of spot: OCO, OTO and OTOCO, and those whose working order pays for the rest (OPO,
OPOCO).

Source: binance-spot-api-docs rest-api.md "Order lists", faqs/opo.md (2026-07).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulator.accounts.records import PENDING, SPOT, Account, Fill, Order
from simulator.accounts.refusals import NO_BALANCE, Refusal, filter_failure
from simulator.accounts.spot import SpotDesk
from simulator.accounts.waiting import OrderList
from simulator.exchange import Listed
from simulator.listing import Listing

MOST_LISTS = 20
RELATION = "The relationship of the prices for the orders is not correct."


class Venue(Protocol):
    """What the lists need of the exchange."""

    spot: SpotDesk

    def now_ms(self) -> int: ...
    def listed(self, market: str, symbol: str) -> Listed: ...
    def last_price(self, market: str, symbol: str) -> int: ...
    def check(self, account: Account, order: Order) -> None: ...
    def check_making(self, order: Order) -> None: ...
    def cancel(
        self, account: Account, order: Order, status: str = "CANCELED", reason: str = ""
    ) -> None: ...
    def begin(self, account: Account, order: Order) -> None: ...


@dataclass
class ListDesk:
    """`tell_order` and `tell_list` hear of every change."""

    venue: Venue
    tell_order: Callable[[Account, Order, Fill | None, str], None]
    tell_list: Callable[[Account, OrderList], None]

    def place_oco(self, account: Account, group: OrderList, above: Order, below: Order) -> None:
        """One of two; both hold back one amount. Raises Refusal."""
        self._check(account, group, [above, below])
        self._check_pair(above, below, self.venue.last_price(SPOT, group.symbol))
        rules = self._rules(group)
        price = self.venue.last_price(SPOT, group.symbol)
        needed = [self.venue.spot.needed(account, order, rules, price) for order in (above, below)]
        asset, amount = needed[0][0], max(amount for _, amount in needed)
        holding = account.holding(asset)
        if holding.free < amount:
            raise Refusal(-2010, NO_BALANCE)
        holding.free -= amount
        holding.locked += amount
        above.locked = amount
        self._open(account, group, [above, below])
        for order in (above, below):
            self.tell_order(account, order, None, "NEW")
            self.venue.begin(account, order)

    def place_oto(
        self, account: Account, group: OrderList, working: Order, pending: Sequence[Order]
    ) -> None:
        """The working order now, the pending ones when it is filled. Raises Refusal."""
        self._check(account, group, [working, *([] if group.pays else pending)])
        self.venue.check_making(working)
        if len(pending) == 2:
            self._check_pair(pending[0], pending[1], working.price)
        rules, price = self._rules(group), self.venue.last_price(SPOT, group.symbol)
        self.venue.spot.lock(account, working, rules, price)
        group.working_id = working.id
        group.pending_ids = [order.id for order in pending]
        for order in pending:
            order.status = PENDING
        self._open(account, group, [working, *pending])
        for order in (working, *pending):
            self.tell_order(account, order, None, "NEW")
        self.venue.begin(account, working)

    def cancel(self, account: Account, group: OrderList) -> None:
        """All of it. Raises Refusal."""
        if not group.is_open:
            raise Refusal(-2011, "Order list is not open.")
        for order in self._open_orders(account, group):
            if order.is_open:  # the first one's end may have ended it
                self.venue.cancel(account, order)

    # --- the orders go their ways ---------------------------------------------------------------

    def started(self, account: Account, order: Order) -> None:
        """One of two triggers or is about to be filled: the other one gives way, and what it held
        back with it."""
        group = self._group(account, order)
        if group is None or order.id == group.working_id:
            return
        for other in self._open_orders(account, group):
            if other is not order:
                order.locked += other.locked
                other.locked = 0
                self.venue.cancel(account, other, "EXPIRED", "OCO_TRIGGER")

    def filled(self, account: Account, order: Order, fill: Fill) -> None:
        """A working order that pays keeps what it brought in for the pending ones."""
        group = self._group(account, order)
        if group is None or not group.pays or order.id != group.working_id:
            return
        rules = self._rules(group)
        base = account.holding(rules.base)
        got = fill.quantity
        if fill.commission_asset == rules.base and base.free < got:
            got -= fill.commission  # nothing else there to pay it from
        base.free -= got
        base.locked += got
        group.kept += got

    def ended(self, account: Account, order: Order) -> None:
        """Filled, cancelled or expired."""
        group = self._group(account, order)
        if group is None:
            return
        if order.id == group.working_id and order.status == "FILLED":
            self._begin_pending(account, group)
            return
        if order.id == group.working_id:
            group.working_id = 0
            self._give_back(account, group)
        was_cancelled = order.status == "CANCELED"
        if order.reason == "OCO_TRIGGER":  # the other one goes on
            self._done(account, group)
            return
        self._done(account, group)
        for other in (account.orders[number] for number in group.order_ids):
            if other.is_open:
                status = "CANCELED" if was_cancelled else "EXPIRED"
                reason = "" if was_cancelled else "OTO_PHASE_ONE_EXPIRED"
                self.venue.cancel(account, other, status, reason)
        self._give_back(account, group)

    def _begin_pending(self, account: Account, group: OrderList) -> None:
        group.working_id = 0
        rules, price = self._rules(group), self.venue.last_price(SPOT, group.symbol)
        quantity = self._give_back(account, group) // rules.step * rules.step
        pending = [account.orders[number] for number in group.pending_ids]
        group.status, group.updated = "UPDATED", self.venue.now_ms()
        self.tell_list(account, group)
        try:
            for order in pending:
                order.quantity = quantity if group.pays else order.quantity
                order.status, order.working_since = "NEW", self.venue.now_ms()
                self._check_begun(account, order)
            needed = [self.venue.spot.needed(account, o, rules, price) for o in pending]
            asset, amount = needed[0][0], max(amount for _, amount in needed)
            if account.holding(asset).free < amount:
                raise Refusal(-2010, NO_BALANCE)
        except Refusal:
            self._done(account, group)
            for order in pending:
                self.venue.cancel(account, order, "EXPIRED", "REJECTED")
            return
        account.holding(asset).free -= amount
        account.holding(asset).locked += amount
        pending[0].locked = amount
        for order in pending:
            if order.is_open:
                self.tell_order(account, order, None, "NEW")
                self.venue.begin(account, order)

    def _check_begun(self, account: Account, order: Order) -> None:
        """Raises Refusal."""
        if not order.quantity:
            raise filter_failure("LOT_SIZE")
        self.venue.check(account, order)
        if order.type == "LIMIT_MAKER":
            self.venue.check_making(order)

    # --- checks ---------------------------------------------------------------------------------

    def _check(self, account: Account, group: OrderList, orders: Sequence[Order]) -> None:
        mine = [item for item in account.lists.values() if item.is_open]
        if any(item.client_id == group.client_id for item in mine):
            raise Refusal(-2010, "Duplicate order list sent.")
        if sum(item.symbol == group.symbol for item in mine) >= MOST_LISTS:
            raise filter_failure("MAX_NUM_ORDER_LISTS")
        names = [order.client_id for order in orders]
        if len(set(names)) != len(names):
            raise Refusal(-2010, "Duplicate order sent.")
        for number, order in enumerate(orders):
            if number and group.contingency == "OTO":  # its price is looked at when it is placed
                rules = self._rules(group)
                price = order.price or order.stop_price or orders[0].price
                self.venue.spot.check(account, order, rules, price)
            else:
                self.venue.check(account, order)

    def _check_pair(self, above: Order, below: Order, price: int) -> None:
        """A sell has its target above and its stop below, a buy the other way round."""
        stop, target = (below, above) if above.side == "SELL" else (above, below)
        if not stop.type.startswith("STOP_LOSS") or stop.type == target.type:
            raise Refusal(-2010, RELATION)
        if target.type != "LIMIT_MAKER" and not target.type.startswith("TAKE_PROFIT"):
            raise Refusal(-2010, RELATION)
        high = above.stop_price or above.price
        low = below.stop_price or below.price
        if not low < price < high:
            raise Refusal(-2010, RELATION)

    # --- the list itself ------------------------------------------------------------------------

    def _open(self, account: Account, group: OrderList, orders: Sequence[Order]) -> None:
        account.lists[group.id] = group
        group.order_ids = [order.id for order in orders]
        group.updated = self.venue.now_ms()
        for order in orders:
            order.list_id = group.id
            account.orders[order.id] = order
        self.tell_list(account, group)

    def _done(self, account: Account, group: OrderList) -> None:
        if group.is_open:
            group.status = group.order_status = "ALL_DONE"
            group.updated = self.venue.now_ms()
            self.tell_list(account, group)

    def _give_back(self, account: Account, group: OrderList) -> int:
        kept, group.kept = group.kept, 0
        holding = account.holding(self._rules(group).base)
        holding.locked -= kept
        holding.free += kept
        return kept

    def _group(self, account: Account, order: Order) -> OrderList | None:
        group = account.lists.get(order.list_id)
        return group if group is not None and group.is_open else None

    def _open_orders(self, account: Account, group: OrderList) -> list[Order]:
        orders = (account.orders[number] for number in group.order_ids)
        return [order for order in orders if order.is_open]

    def _rules(self, group: OrderList) -> Listing:
        return self.venue.listed(SPOT, group.symbol).symbol.rules
