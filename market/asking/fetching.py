"""Candles into the store, request by request, each kept before the next is asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from django.conf import settings

from market.asking import candles
from market.binance.budgets import public_rest
from market.binance.rest import PublicRest
from market.hot import store as hot
from market.jobs.database import DatabaseThread
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch, pages

# Steps between two wanted stretches that one request may bring along: four hours of minutes.
WIDEST = {store.MINUTE: 240}
AT_ONCE = 4


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
    """Oldest first."""
    return pages(
        wanted,
        grain,
        candles.PAGE,
        lambda count: candles.weight_of(market, count),
        WIDEST.get(grain),
    )


async def fetch_candles(
    instrument: Instrument,
    grain: int,
    requests: Sequence[Stretch],
    kind: str,
    is_to_stop: Callable[[], bool] = lambda: False,
) -> int:
    """A few at once. Returns how many requests were answered; what came beside an error is kept.
    Raises the REST adapter's errors."""
    done = 0
    database = DatabaseThread()
    try:
        async with exchange(instrument.market) as rest:
            for first in range(0, len(requests), AT_ONCE):
                if is_to_stop():
                    break
                asking = [
                    candles.ask(rest, instrument, grain, page, kind)
                    for page in requests[first : first + AT_ONCE]
                ]
                answers = await asyncio.gather(*asking, return_exceptions=True)
                errors = [answer for answer in answers if isinstance(answer, BaseException)]
                for answer in answers:
                    if not isinstance(answer, BaseException):
                        await database.run(candles.keep, instrument, grain, answer)
                        done += 1
                if errors:
                    raise errors[0]
    finally:
        database.close(wait=True)
    return done
