"""Reads what followed futures have settled, once an hour each."""

import asyncio

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import DataError

from lib.dates import to_ms
from market.archive import marks
from market.binance.budgets import governors
from market.binance.errors import ExchangeError, Refused
from market.binance.rest import UsdmRest
from market.binance.rest_rows import FundingRow
from market.hot import store
from market.models import Instrument

log = structlog.get_logger(__name__)

ASK_AGAIN_SECONDS = 3300


def read_funding() -> int:
    """Ask for each future that is due; returns how many rows came."""
    due = {
        item.symbol: (item, since)
        for item, since in marks.due_for_funding()
        if cache.add(_asked(item), "yes", ASK_AGAIN_SECONDS)
    }
    if not due:
        return 0
    rows_of = asyncio.run(_ask({symbol: to_ms(since) for symbol, (_, since) in due.items()}))
    for symbol, (instrument, _) in due.items():
        if symbol not in rows_of:
            cache.delete(_asked(instrument))
            continue
        try:
            marks.save_funding(instrument, rows_of[symbol])
        except (ValueError, DataError) as error:  # one ill future stops no other
            log.warning("funding not read", symbol=symbol, error=str(error)[:200])
    return sum(map(len, rows_of.values()))


def _asked(instrument: Instrument) -> str:
    return f"funding:{instrument.key}"


async def _ask(since: dict[str, int]) -> dict[str, list[FundingRow]]:
    """Symbol -> rows, without those that were not answered."""
    client = store.connect(settings.REDIS_URL)
    rest = UsdmRest(settings.BINANCE_FUTURES_API_URL, governors(client)["fapi"])
    rows_of: dict[str, list[FundingRow]] = {}
    try:
        for symbol, start_ms in since.items():
            try:
                rows_of[symbol] = await rest.funding(symbol, start_ms)
            except Refused as error:  # it will say no again: asked when its hour comes
                log.warning("funding refused", symbol=symbol, error=str(error))
                rows_of[symbol] = []
            except ExchangeError as error:
                log.warning("funding not read", symbol=symbol, error=str(error))
    finally:
        await rest.close()
        await client.aclose()
    return rows_of
