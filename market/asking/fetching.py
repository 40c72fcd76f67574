"""Candles into the store, request by request, each kept before the next is asked for."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from django.conf import settings

from market.asking import candles
from market.binance.budgets import public_rest
from market.binance.rest import PublicRest
from market.hot import store as hot
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.past.spans import Stretch, pages


@asynccontextmanager
async def exchange(market: str) -> AsyncIterator[PublicRest]:
    """A market's public REST behind the governor that all of this address share."""
    client = hot.connect(settings.REDIS_URL)
    rest = public_rest(market, client)
    try:
        yield rest
    finally:
        await rest.close()
        await client.aclose()


def requests_for(market: str, grain: int, wanted: Sequence[Stretch]) -> list[Stretch]:
    return pages(wanted, grain, candles.PAGE, lambda count: candles.weight_of(market, count))


async def fetch_candles(
    instrument: Instrument,
    grain: int,
    requests: Sequence[Stretch],
    kind: str,
    is_to_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Returns how many requests were made; what came before an error is kept. Raises the REST
    adapter's errors."""
    done = 0
    database = DatabaseThread()
    try:
        async with exchange(instrument.market) as rest:
            for page in requests:
                if is_to_stop():
                    break
                answer = await candles.ask(rest, instrument, grain, page, kind)
                await database.run(candles.keep, instrument, grain, answer)
                done += 1
    finally:
        database.close(wait=True)
    return done
