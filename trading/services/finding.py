"""Whether an order that nobody answered for is there after all."""

import asyncio
from typing import Any

from market.binance.errors import ExchangeError
from market.binance.ordering import OrderRest
from trading.answers import order_of
from trading.services.cancelling import Target

PAUSES = (0.3, 1.0, 2.0)


async def find(rest: OrderRest, target: Target) -> dict[str, Any] | None:
    """Asked for some seconds by its name; None: nobody says that it is there."""
    for pause in PAUSES:
        await asyncio.sleep(pause)
        try:
            answer = await rest.look(target.path, target.params)
        except ExchangeError:
            continue
        return order_of(answer, target.client_id)
    return None
