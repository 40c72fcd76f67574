"""Missing ids from REST: the newest 1000 from memory, older ones by id from the database."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from market.binance.errors import ExchangeError, MustWait, Refused, TooOld
from market.binance.rest import PublicRest
from market.flow.sequence import Hole
from market.flow.trades import Trade

log = structlog.get_logger(__name__)

# `historicalTrades` comes from a database that lags its stream.
NOT_YET_PAUSE = 0.25
FAILED_PAUSE = 0.3


@dataclass(frozen=True)
class Found:
    """Rows in id order, and the ids before or between them that the exchange proved not to have:
    it answered a question for them with a later id. `next_id` is what to ask for next."""

    trades: list[Trade]
    unfillable: list[tuple[int, int]]
    next_id: int


async def fill(rest: PublicRest, symbol: str, hole: Hole, seconds: float) -> AsyncIterator[Found]:
    """What REST has of a hole, as it comes, for at most `seconds`.

    An answer that ends before the hole does means not yet: the question is asked again.
    """
    deadline = time.monotonic() + seconds
    next_id = hole.first_id
    from_memory = True
    while next_id <= hole.last_id and time.monotonic() < deadline:
        try:
            if from_memory:
                from_memory = False
                rows = await rest.newest_trades(symbol)
                piece = _read(rows, next_id, hole.last_id, is_proof=False)
            else:
                rows = await rest.trades_from(symbol, next_id)
                piece = _read(rows, next_id, hole.last_id, is_proof=True)
        except MustWait as error:
            await asyncio.sleep(min(error.seconds, max(0.0, deadline - time.monotonic())))
            continue
        except Refused as error:  # it will say no again: the rebuild asks ever more seldom
            log.warning("missing trades refused", symbol=symbol, error=str(error))
            await asyncio.sleep(max(0.0, deadline - time.monotonic()))
        except ExchangeError as error:
            log.warning("missing trades not answered", symbol=symbol, error=str(error))
            await asyncio.sleep(FAILED_PAUSE)
            continue
        if piece.trades or piece.unfillable:
            yield piece
        if piece.next_id == next_id:
            await asyncio.sleep(NOT_YET_PAUSE)
        next_id = piece.next_id


class ById(Protocol):
    """What answers by id."""

    async def trades_from(self, symbol: str, first_id: int, kind: str = ...) -> list[Trade]: ...

    async def oldest_id(self, symbol: str) -> int | None: ...


async def pages(
    rest: ById, symbol: str, first_id: int, last_id: int, kind: str
) -> AsyncIterator[Found]:
    """All ids from `first_id` to `last_id`, page by page; ends early where REST is not that far.

    Raises the adapter's errors: whoever asks in the background decides when to go on.
    """
    next_id = first_id
    while next_id <= last_id:
        try:
            rows = await rest.trades_from(symbol, next_id, kind)
        except TooOld:
            oldest = await rest.oldest_id(symbol)
            if oldest is None or oldest <= next_id:
                raise
            reached = min(oldest, last_id + 1)
            yield Found([], [(next_id, reached - 1)], reached)
            next_id = reached
            continue
        piece = _read(rows, next_id, last_id, is_proof=True)
        if piece.next_id == next_id:
            return
        yield replace(piece, trades=[trade for trade in piece.trades if trade.id <= last_id])
        next_id = piece.next_id


def _read(rows: list[Trade], next_id: int, last_id: int, *, is_proof: bool) -> Found:
    """How far an answer brings us. Only an answer by id proves that an id does not exist; the
    newest trades may simply begin later. Rows behind `last_id` stay: they may fill other holes."""
    rows = sorted((row for row in rows if row.id >= next_id), key=lambda row: row.id)
    unfillable: list[tuple[int, int]] = []
    expected = next_id
    for row in rows:
        if row.id > expected:
            if not is_proof or expected > last_id:
                break
            unfillable.append((expected, min(row.id - 1, last_id)))
        expected = row.id + 1
    return Found(rows, unfillable, expected)
