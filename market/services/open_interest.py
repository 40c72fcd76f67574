"""How many contracts are open now, asked of the exchange for those futures that somebody needs."""

import asyncio
from collections.abc import Collection
from decimal import Decimal

import structlog
from django.conf import settings

from market.binance.budgets import governors
from market.binance.errors import ExchangeError
from market.binance.rest import UsdmRest
from market.hot import store

log = structlog.get_logger(__name__)


def ask(symbols: Collection[str]) -> dict[str, tuple[Decimal, int]]:
    """Symbol -> (contracts, epoch ms), without those that were not answered."""
    return asyncio.run(_ask(symbols)) if symbols else {}


async def _ask(symbols: Collection[str]) -> dict[str, tuple[Decimal, int]]:
    client = store.connect(settings.REDIS_URL)
    rest = UsdmRest(settings.BINANCE_FUTURES_API_URL, governors(client)["fapi"])
    open_interest: dict[str, tuple[Decimal, int]] = {}
    try:
        for symbol in symbols:
            try:
                contracts, time_ms = await rest.open_interest(symbol)
                open_interest[symbol] = Decimal(contracts), time_ms
            except ExchangeError as error:
                log.warning("open interest not read", symbol=symbol, error=str(error))
    finally:
        await rest.close()
        await client.aclose()
    return open_interest
