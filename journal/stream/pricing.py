"""What open positions are worth, as long as the streams are heard: prices that no tape tells, and
every owner's `pnl`."""

import asyncio
import contextlib
import time
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from journal.models import Market
from journal.services import live_prices, valuing
from journal.stream.events import UNREADABLE
from lib.parking import Parking
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import ExchangeError
from market.binance.signing import Addresses, no_credentials
from market.jobs.database import DatabaseThread

log = structlog.get_logger(__name__)

PNL_SECONDS = 0.5
PRICES_SECONDS = 2.0
# While the database or the exchange is away.
AWAY_SECONDS = 5.0
# How long everybody is told one by one before it is tried for all at once again.
LONGEST_APART_SECONDS = 60.0
PRICES, EVERYONE = "prices", "everyone"


class Pricing:
    def __init__(self, client: Any) -> None:
        """`client` is Redis, for the weight budgets."""
        self._client = client
        self._thread = DatabaseThread()
        # users whose positions cannot be valued, and the two rounds themselves
        self.parked = Parking()

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.close, wait=True)

    async def prices(self) -> None:
        """Prices of open positions that no tape tells: marks of futures, spot of other symbols."""
        addresses = Addresses(
            settings.BINANCE_SPOT_API_URL,
            settings.BINANCE_FUTURES_API_URL,
            settings.BINANCE_SPOT_DATA_API_URL,
        )
        rest = AccountRest(addresses, no_credentials(), governors(self._client), patience=1)
        async with contextlib.aclosing(rest):
            while True:
                if not self.parked.is_parked(PRICES):
                    await self._prices_once(rest)
                await asyncio.sleep(PRICES_SECONDS)

    async def _prices_once(self, rest: AccountRest) -> None:
        try:
            needed = await self._thread.run(live_prices.needed_prices)
            await self._ask_prices(rest, needed)
        except (
            DatabaseError,
            ExchangeError,
            redis.RedisError,
            OSError,
            *UNREADABLE,
        ) as error:
            pause = self.parked.park(PRICES, longest=AWAY_SECONDS)
            log.warning("no prices", error=type(error).__name__, again_in=pause)
        else:
            self.parked.clear(PRICES)

    async def _ask_prices(self, rest: AccountRest, needed: dict[str, set[str]]) -> None:
        now_ms = int(time.time() * 1000)
        if symbols := needed.get(Market.SPOT):
            rows = await rest.prices()
            known = {symbol: rows[symbol] for symbol in symbols if symbol in rows}
            await self._thread.run(live_prices.keep_prices, Market.SPOT, known, now_ms)
        if symbols := needed.get(Market.USDM):
            rows = {
                row["symbol"]: row["markPrice"]
                for row in await rest.read_public("/fapi/v1/premiumIndex")
            }
            known = {symbol: rows[symbol] for symbol in symbols if symbol in rows}
            await self._thread.run(live_prices.keep_prices, Market.USDM, known, now_ms)

    async def pnl(self) -> None:
        """Open positions at the newest prices, as often as the hub may be told: of those who
        listen, so that it costs nothing while nobody looks."""
        while True:
            await self.tell_once()
            await asyncio.sleep(PNL_SECONDS)

    async def tell_once(self) -> None:
        """All at once; while that fails, each owner for himself and the ill one not at all."""
        try:
            users = await self._thread.run(valuing.listeners)
            if not users:
                return
            if self.parked.is_parked(EVERYONE) or not await self._tell_all(users):
                for user in users:
                    await self._tell_one(user)
        except (OperationalError, InterfaceError, OSError) as error:
            log.warning("results not told", error=type(error).__name__)

    async def _tell_all(self, users: list[int]) -> bool:
        try:
            await self._thread.run(valuing.tell, users)
        except (OperationalError, InterfaceError, OSError):
            raise
        except Exception:
            log.exception("results of somebody cannot be told")
            self.parked.park(EVERYONE, longest=LONGEST_APART_SECONDS)
            return False
        self.parked.clear(EVERYONE)
        return True

    async def _tell_one(self, user: int) -> None:
        name = f"user {user}"
        if self.parked.is_parked(name):
            return
        try:
            await self._thread.run(valuing.tell, [user])
        except (OperationalError, InterfaceError, OSError):
            raise
        except Exception:
            pause = self.parked.park(name)
            log.exception("results set aside", user=user, again_in=pause)
        else:
            self.parked.clear(name)
