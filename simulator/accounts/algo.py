"""USD-M's algo service: conditional orders, apart from the matching engine until they trigger.

Source: developers.binance.com, derivatives change log 2025-11-06 and 2025-12-29, and the docstrings
of binance-sdk-derivatives-trading-usds-futures 18.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from simulator.accounts.futures import FuturesDesk
from simulator.accounts.records import USDM, Account, Order
from simulator.accounts.refusals import UNKNOWN_ORDER, Refusal
from simulator.accounts.waiting import STOPS, TRAILING, Algo
from simulator.amounts import UNIT
from simulator.exchange import Listed
from simulator.tape import Trade

MOST_OPEN = 200
LEAST_CALLBACK, MOST_CALLBACK = UNIT // 10, 20 * UNIT
AT_ONCE = "Order would immediately trigger."
# How far mark and last price may be apart for an order with price protection: 5 %.
PROTECTED_PARTS = 20


class Venue(Protocol):
    """What the service needs of the exchange."""

    accounts: dict[int, Account]
    futures: FuturesDesk

    def now_ms(self) -> int: ...
    def next_id(self) -> int: ...
    def listed(self, market: str, symbol: str) -> Listed: ...
    def last_price(self, market: str, symbol: str) -> int: ...
    def mark_price(self, symbol: str) -> int: ...
    def place(self, account: Account, order: Order) -> object: ...


@dataclass
class AlgoDesk:
    """`tell(account, algo)` hears of every change of state."""

    venue: Venue
    tell: Callable[[Account, Algo], None]
    # what has not ended, the orders of triggers included
    live: dict[int, tuple[Account, Algo]] = field(default_factory=dict)

    def restore(self, account: Account) -> None:
        """After a restart."""
        for algo in account.algos.values():
            if algo.is_open or algo.status == "TRIGGERED":
                self.live[algo.id] = account, algo

    def place(self, account: Account, algo: Algo) -> None:
        """Raises Refusal. Margin is not looked at before the trigger."""
        self.check(account, algo)
        if algo.type == TRAILING:
            price = self._price(algo)
            if not algo.activate_price:
                algo.is_active, algo.extreme = True, price
        account.algos[algo.id] = algo
        self.live[algo.id] = account, algo
        self.tell(account, algo)

    def check(self, account: Account, algo: Algo) -> None:
        """Raises Refusal."""
        rules = self.venue.listed(USDM, algo.symbol).symbol.rules
        for price in (algo.price, algo.trigger_price, algo.activate_price):
            if price % rules.tick:
                raise Refusal(-4014, "Price not increased by tick size.")
        if algo.quantity % rules.step:
            raise Refusal(-4023, "Quantity not increased by step size.")
        if account.is_hedged != (algo.position_side != "BOTH"):
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        if account.is_hedged and algo.reduce_only:
            raise Refusal(-1106, "Parameter 'reduceonly' sent when not required.")
        opens = algo.is_buy == (algo.position_side == "LONG")
        if account.is_hedged and algo.close_position and opens:
            raise Refusal(-4136, "Target strategy invalid for orderType,closePosition.")
        waiting = [other for other in account.algos.values() if other.is_open]
        if len(waiting) >= MOST_OPEN:
            raise Refusal(-4045, "Reach max stop order limit.")
        if any(other.client_id == algo.client_id for other in waiting):
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        if algo.close_position and any(_is_same_closing(algo, other) for other in waiting):
            raise Refusal(
                -4130,
                "An open stop or take profit order with GTE and closePosition in the direction is "
                "existing.",
            )
        if algo.time_in_force == "GTE_GTC" and not self._held(account, algo):
            raise Refusal(
                -4509,
                "Time in Force (TIF) GTE can only be used with open positions or open "
                "orders. Please ensure that open orders or positions are available.",
            )
        self._refuse_at_once(algo)

    def cancel(self, account: Account, algo: Algo, status: str = "CANCELED") -> None:
        """Raises Refusal."""
        if not algo.is_open:
            raise Refusal(-2011, UNKNOWN_ORDER)
        self._end(account, algo, status)

    # --- prices come in -------------------------------------------------------------------------

    def meet(self, listed: Listed, trades: Iterable[Trade]) -> None:
        """Last prices move what works on CONTRACT_PRICE, each price in its turn."""
        symbol = listed.symbol.rules.symbol
        waiting = self._waiting(symbol, "CONTRACT_PRICE")
        if not waiting:
            return
        for trade in trades:
            for account, algo in waiting:
                self._hear(account, algo, trade.price)

    def tick(self) -> None:
        """Mark prices, dates that have come, and orders that a trigger made and that have ended."""
        now = self.venue.now_ms()
        marks: dict[str, int] = {}
        for account, algo in list(self.live.values()):
            if algo.status == "TRIGGERED":
                self._finish(account, algo)
            if not algo.is_open:
                continue
            is_late = 0 < algo.good_till <= now
            is_idle = algo.time_in_force == "GTE_GTC" and not self._held(account, algo)
            if is_late or is_idle:
                self.cancel(account, algo, "EXPIRED")
            elif algo.working_type == "MARK_PRICE":
                if algo.symbol not in marks:
                    marks[algo.symbol] = self.venue.mark_price(algo.symbol)
                self._hear(account, algo, marks[algo.symbol])

    def _waiting(self, symbol: str, working_type: str) -> list[tuple[Account, Algo]]:
        return [
            (account, algo)
            for account, algo in self.live.values()
            if algo.is_open and algo.symbol == symbol and algo.working_type == working_type
        ]

    def _hear(self, account: Account, algo: Algo, price: int) -> None:
        if not algo.is_open:
            return
        if algo.follow(price):
            self.tell(account, algo)  # NEW a second time: it has begun to follow
        if algo.is_reached(price) and not self._is_protected(algo):
            self._trigger(account, algo)

    def _is_protected(self, algo: Algo) -> bool:
        """Mark and last price are too far apart for an order with price protection."""
        if not algo.price_protect:
            return False
        last = self.venue.last_price(USDM, algo.symbol)
        return abs(self.venue.mark_price(algo.symbol) - last) * PROTECTED_PARTS > last

    def _trigger(self, account: Account, algo: Algo) -> None:
        now = self.venue.now_ms()
        algo.status, algo.updated, algo.triggered = "TRIGGERING", now, now
        self.tell(account, algo)
        order = self._order(account, algo)
        if order is None:
            self._end(account, algo, "EXPIRED", "No position to close")
            return
        algo.order_id = order.id
        algo.status = "TRIGGERED"
        try:
            self.venue.place(account, order)
        except Refusal as error:
            algo.order_id = 0
            self._end(account, algo, "REJECTED", str(error))
            return
        self.tell(account, algo)
        self._finish(account, algo)

    def _order(self, account: Account, algo: Algo) -> Order | None:
        now = self.venue.now_ms()
        order = Order(
            USDM,
            algo.symbol,
            self.venue.next_id(),
            algo.client_id,
            algo.side,
            algo.order_type,
            "GTC" if algo.time_in_force == "GTE_GTC" else algo.time_in_force,
            algo.price,
            algo.quantity,
            now,
            now,
            position_side=algo.position_side,
            reduce_only=algo.reduce_only,
            self_trade_prevention=algo.self_trade_prevention,
        )
        order.algo_id, order.original_type = algo.id, algo.type
        order.working_type = algo.working_type
        if algo.close_position:
            order.close_position = True
            order.quantity = self._held(account, algo)
            order.reduce_only = not account.is_hedged
            if not order.quantity:
                return None
        return order

    def _finish(self, account: Account, algo: Algo) -> None:
        order = account.orders.get(algo.order_id)
        if order is not None and not order.is_open:
            self._end(account, algo, "FINISHED")

    def _end(self, account: Account, algo: Algo, status: str, reason: str = "") -> None:
        algo.status, algo.reason, algo.updated = status, reason, self.venue.now_ms()
        self.live.pop(algo.id, None)
        self.tell(account, algo)

    # --- checks ---------------------------------------------------------------------------------

    def _held(self, account: Account, algo: Algo) -> int:
        """What of a position it would close."""
        position = account.positions.get(f"{algo.symbol}:{algo.position_side}")
        if position is None or not position.amount or (position.amount > 0) == algo.is_buy:
            return 0
        return abs(position.amount)

    def _price(self, algo: Algo) -> int:
        if algo.working_type == "MARK_PRICE":
            return self.venue.mark_price(algo.symbol)
        return self.venue.last_price(USDM, algo.symbol)

    def _refuse_at_once(self, algo: Algo) -> None:
        price = self._price(algo)
        if algo.type != TRAILING:
            if algo.is_reached(price):
                raise Refusal(-2021, AT_ONCE)
            return
        if not LEAST_CALLBACK <= algo.callback_rate <= MOST_CALLBACK:
            raise Refusal(-2007, "Invalid callBack rate")
        if algo.activate_price and (
            algo.activate_price >= price if algo.is_buy else algo.activate_price <= price
        ):
            raise Refusal(-2021, AT_ONCE)


def _is_same_closing(algo: Algo, other: Algo) -> bool:
    """Both close the same side, both as a stop or both as a target."""
    return (
        other.close_position
        and (other.symbol, other.side, other.position_side)
        == (algo.symbol, algo.side, algo.position_side)
        and (other.type in STOPS) == (algo.type in STOPS)
    )
