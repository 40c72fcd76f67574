"""What every order has to satisfy before it reaches the engine. Source: filters.md."""

from simulator.accounts.records import Order
from simulator.accounts.refusals import Refusal, filter_failure
from simulator.amounts import UNIT
from simulator.listing import SPOT, Listing

MOST_PRICE = 1_000_000 * UNIT
MOST_QUANTITY = {SPOT: 9_000_000 * UNIT, "usdm": 1000 * UNIT}
LEAST_NOTIONAL = 5 * UNIT
MOST_OPEN = 200


def check(order: Order, rules: Listing, last_price: int, open_orders: int) -> None:
    """Raises Refusal."""
    is_spot = rules.market == SPOT
    if any(
        price and (price % rules.tick or not rules.tick <= price <= MOST_PRICE)
        for price in (order.price, order.stop_price)
    ):
        raise (
            filter_failure("PRICE_FILTER")
            if is_spot
            else Refusal(-4014, "Price not increased by tick size.")
        )
    if order.quantity and (
        order.quantity % rules.step
        or not rules.step <= order.quantity <= MOST_QUANTITY[rules.market]
    ):
        raise (
            filter_failure("LOT_SIZE")
            if is_spot
            else Refusal(-4023, "Quantity not increased by step size.")
        )
    price = order.price or last_price
    if is_spot and order.price and not last_price // 5 <= order.price <= last_price * 5:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    value = order.quote_quantity or price * order.quantity // UNIT
    is_closing = order.reduce_only or order.close_position
    if value < LEAST_NOTIONAL and not is_closing:
        raise (
            filter_failure("NOTIONAL")
            if is_spot
            else Refusal(
                -4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."
            )
        )
    if open_orders >= MOST_OPEN:
        raise filter_failure("MAX_NUM_ORDERS")
