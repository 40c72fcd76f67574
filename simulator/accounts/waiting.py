"""What waits for something: conditional orders of USD-M's algo service, order lists of spot.
Amounts in units of 1e-8, times in epoch ms."""

from dataclasses import dataclass, field

from simulator.amounts import UNIT

STOPS = {"STOP", "STOP_MARKET"}
TARGETS = {"TAKE_PROFIT", "TAKE_PROFIT_MARKET"}
TRAILING = "TRAILING_STOP_MARKET"
ALGO_TYPES = {*STOPS, *TARGETS, TRAILING}


@dataclass
class Algo:
    """A conditional order. NEW, then CANCELED, EXPIRED, or TRIGGERING and from there REJECTED or
    TRIGGERED and FINISHED with the order that it made."""

    symbol: str
    id: int
    client_id: str
    side: str
    type: str
    time_in_force: str
    quantity: int
    price: int
    trigger_price: int
    time: int
    updated: int
    position_side: str = "BOTH"
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    close_position: bool = False
    reduce_only: bool = False
    self_trade_prevention: str = "NONE"
    good_till: int = 0
    # trailing: where it begins to follow (0: at once), and how far behind in 1e-8 of a per cent
    activate_price: int = 0
    callback_rate: int = 0
    is_active: bool = False
    # the best price since then
    extreme: int = 0
    status: str = "NEW"
    # the ordinary order that the trigger made
    order_id: int = 0
    triggered: int = 0
    reason: str = ""

    @property
    def is_buy(self) -> bool:
        return self.side == "BUY"

    @property
    def is_open(self) -> bool:
        return self.status == "NEW"

    @property
    def order_type(self) -> str:
        """Of the order that a trigger makes."""
        return "LIMIT" if self.type in {"STOP", "TAKE_PROFIT"} else "MARKET"

    def is_reached(self, price: int) -> bool:
        """A stop buys when the price has risen to it, a take-profit when it has fallen; sells the
        other way round."""
        if self.type == TRAILING:
            return self.is_active and self._has_come_back(price)
        rises = self.is_buy == (self.type in STOPS)
        return price >= self.trigger_price if rises else price <= self.trigger_price

    def follow(self, price: int) -> bool:
        """A trailing stop hears a price. True when it begins to follow with it."""
        if self.type != TRAILING:
            return False
        if not self.is_active:
            if self.is_buy and price > self.activate_price:
                return False
            if not self.is_buy and price < self.activate_price:
                return False
            self.is_active, self.extreme = True, price
            return True
        self.extreme = min(self.extreme, price) if self.is_buy else max(self.extreme, price)
        return False

    def _has_come_back(self, price: int) -> bool:
        distance = self.extreme * self.callback_rate // (100 * UNIT)
        if self.is_buy:
            return price >= self.extreme + distance
        return price <= self.extreme - distance


@dataclass
class OrderList:
    """Spot orders that belong together. OCO: one of two; OTO: the pending ones are placed when the
    working one is filled whole."""

    symbol: str
    id: int
    client_id: str
    contingency: str
    time: int
    order_ids: list[int]
    # of an OTO; 0: an OCO, or one whose working order is done
    working_id: int = 0
    # the pending ones' quantity is what the working one brings in
    pays: bool = False
    # of a list that pays: kept back from the working order's fills for the pending ones
    kept: int = 0
    status: str = "EXEC_STARTED"
    order_status: str = "EXECUTING"
    updated: int = 0
    pending_ids: list[int] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.order_status == "EXECUTING"
