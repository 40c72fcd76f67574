"""An account's USD-M user stream: a listen key that is kept alive, and a socket on it
(binance.md 4.2)."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
import websockets
from django.db import DatabaseError

from market.binance.account import AccountRest
from market.binance.errors import BadKey, ExchangeError

log = structlog.get_logger(__name__)

# A key lives an hour.
RENEW_SECONDS = 30 * 60.0
LIFE_SECONDS = 23 * 3600.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_FRAME_BYTES = 1_000_000
Hear = Callable[[str, dict[str, Any]], None]
Sign = Callable[[str], Awaitable[AccountRest]]


async def follow(
    account: str,
    url: str,
    sign: Sign,
    hear: Hear,
    on_connected: Callable[[str], None],
    on_ended: Callable[[str], None],
) -> None:
    """For ever, until cancelled."""
    pause = 1.0
    while True:
        try:
            await _follow_once(account, url, sign, hear, on_connected, on_ended)
            pause = 1.0
        except BadKey as error:  # its owner may mend the key's address list meanwhile
            log.warning("futures user stream refused", account=account, code=error.code)
            pause = LONGEST_PAUSE_SECONDS
        except (
            ExchangeError,
            OSError,
            TimeoutError,
            websockets.WebSocketException,
            ValueError,
            KeyError,
            DatabaseError,
        ) as error:
            log.warning("futures user stream lost", account=account, error=type(error).__name__)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (not all at once)


async def _follow_once(
    account: str,
    url: str,
    sign: Sign,
    hear: Hear,
    on_connected: Callable[[str], None],
    on_ended: Callable[[str], None],
) -> None:
    rest = await sign(account)
    key = await rest.listen_key()
    async with websockets.connect(
        f"{url}/private/ws/{key}",
        open_timeout=10,
        ping_interval=60,
        ping_timeout=30,
        max_size=MOST_FRAME_BYTES,
        max_queue=1024,
    ) as socket:
        renewing = asyncio.create_task(_renew(rest, key))
        on_connected(account)
        try:
            async with asyncio.timeout(LIFE_SECONDS):
                async for text in socket:
                    event = msgspec.json.decode(text)
                    if not isinstance(event, dict):
                        continue
                    hear(account, event)
                    if event.get("e") == "listenKeyExpired":
                        return
        except TimeoutError:
            return
        finally:
            on_ended(account)
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ExchangeError):
                await renewing


async def _renew(rest: AccountRest, key: str) -> None:
    """The same key again, extended. Another key means that ours has ended: the stream says so."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with contextlib.suppress(ExchangeError):
            await rest.listen_key()
