"""Missing ids from REST: the newest 1000 from memory, older ones by id from the database."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from market.binance.errors import ExchangeError, MustWait, Refused
from market.binance.rest import SpotRest
from market.flow.sequence import Hole
from market.flow.trades import Trade

log = structlog.get_logger(__name__)

# `historicalTrades` comes from a database that lags its stream.
NOT_YET_PAUSE = 0.25
FAILED_PAUSE = 1.0


@dataclass(frozen=True)
class Found:
    """Rows in id order, and the ids before or between them that the exchange proved not to have:
    it answered a question for them with a later id."""

    trades: list[Trade]
    unfillable: list[tuple[int, int]]


async def fill(rest: SpotRest, symbol: str, hole: Hole, seconds: float) -> AsyncIterator[Found]:
    """What REST has of a hole, as it comes, for at most `seconds`.

    An answer that ends before the hole does means not yet: the question is asked again.
    """
    deadline = time.monotonic() + seconds
    next_id = hole.first_id
    try_memory = True
    while next_id <= hole.last_id and time.monotonic() < deadline:
        try:
            if try_memory:
                try_memory = False
                found = _part(await rest.newest_trades(symbol), next_id, hole, is_proof=False)
            else:
                rows = await rest.trades_from(symbol, next_id)
                found = _part(rows, next_id, hole, is_proof=True)
        except MustWait as error:
            await asyncio.sleep(min(error.seconds, max(0.0, deadline - time.monotonic())))
            continue
        except Refused:
            log.exception("missing trades refused", symbol=symbol, first_id=next_id)
            return
        except ExchangeError as error:
            log.warning("missing trades not answered", symbol=symbol, error=str(error))
            await asyncio.sleep(FAILED_PAUSE)
            continue
        if found.trades or found.unfillable:
            yield found
        reached = _reached(found, next_id)
        if reached == next_id and not try_memory:
            await asyncio.sleep(NOT_YET_PAUSE)
        next_id = reached


async def pages(
    rest: SpotRest, symbol: str, first_id: int, last_id: int, kind: str
) -> AsyncIterator[Found]:
    """All ids from `first_id` to `last_id`, page by page; ends early where REST is not that far.

    Raises the adapter's errors: whoever asks in the background decides when to go on.
    """
    next_id = first_id
    while next_id <= last_id:
        rows = await rest.trades_from(symbol, next_id, kind)
        found = _part(rows, next_id, Hole(next_id, last_id), is_proof=True)
        if not found.trades and not found.unfillable:
            return
        yield found
        next_id = _reached(found, next_id)


def _part(rows: list[Trade], next_id: int, hole: Hole, *, is_proof: bool) -> Found:
    """The rows that answer the question. Only an answer by id proves that an id does not exist;
    the newest trades may simply begin later."""
    rows = sorted((row for row in rows if row.id >= next_id), key=lambda row: row.id)
    trades: list[Trade] = []
    unfillable: list[tuple[int, int]] = []
    expected = next_id
    for row in rows:
        if row.id > expected:
            if not is_proof:
                break
            unfillable.append((expected, min(row.id - 1, hole.last_id)))
        if row.id > hole.last_id:
            break
        trades.append(row)
        expected = row.id + 1
    return Found(trades, unfillable)


def _reached(found: Found, next_id: int) -> int:
    """The next id to ask for."""
    reached = next_id
    if found.trades:
        reached = max(reached, found.trades[-1].id + 1)
    if found.unfillable:
        reached = max(reached, found.unfillable[-1][1] + 1)
    return reached
