"""The adapters that orders go through: opened keys and warm connections, one an account, in one
event loop of this process. Whoever calls waits in its own thread, and keeps the database there.
"""

import asyncio
import concurrent.futures
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import redis.asyncio as redis
from django.conf import settings

from accounts.models import ExchangeAccount
from accounts.services import credentials
from accounts.services.credentials import KeyRow
from market.binance.budgets import governors
from market.binance.errors import BadKey, UnknownOutcome
from market.binance.order_budget import OrderBudget
from market.binance.ordering import OrderRest
from market.binance.signing import Addresses, Credentials
from market.hot import store
from trading.sentences import told as _

T = TypeVar("T")
Name = tuple[str, str, str, str]

# An adapter holds an opened key: one that is not used is closed.
IDLE_SECONDS = 600.0
MOST_OPEN = 200
# Longer than anything that an adapter does: its own time limits end it before.
LONGEST_SECONDS = 40.0


@dataclass
class Opened:
    rest: OrderRest
    used_at: float


class Desk:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._opened: dict[Name, Opened] = {}

    def run(self, account: ExchangeAccount, work: Callable[[OrderRest], Awaitable[T]]) -> T:
        """Do something with the account's adapter. Raises what `work` raises, BadKey without a key,
        keyfiles.KeyProblem, envelope.NotOurs, and UnknownOutcome when it took far too long."""
        key = credentials.for_orders(account)
        if not credentials.has_key(key):
            raise BadKey(0, _("this account has no key"))
        loop = self._running()
        rest = self._rest(account, key, loop)

        async def do() -> T:
            return await work(rest)

        future = asyncio.run_coroutine_threadsafe(do(), loop)
        try:
            return future.result(LONGEST_SECONDS)
        except concurrent.futures.TimeoutError as error:
            if future.done():
                raise
            future.cancel()
            raise UnknownOutcome(_("no answer within the longest time")) from error
        except concurrent.futures.CancelledError as error:
            raise UnknownOutcome(_("cancelled while it ran")) from error

    def budget(self, account: ExchangeAccount, market: str, count: int) -> float:
        """Take `count` from the account's order budget: 0, or the seconds to wait. Raises
        RedisError."""
        loop = self._running()

        async def take() -> float:
            named = OrderBudget(self._client, settings.VENUE, str(account.pk))
            return await named.take(market, count)

        return asyncio.run_coroutine_threadsafe(take(), loop).result(LONGEST_SECONDS)

    def cancel_all(self) -> None:
        """End what is under way: whoever waits hears that nobody knows how it ended."""
        loop = self._running()

        def cancel() -> None:
            for task in asyncio.all_tasks(loop):
                task.cancel()

        loop.call_soon_threadsafe(cancel)

    def close(self) -> None:
        """For tests and the end of a process."""
        with self._lock:
            if self._pid != os.getpid():
                return
            asyncio.run_coroutine_threadsafe(self._close_all(), self._loop).result(20)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()
            self._pid = 0

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, begun where it is first needed: a forked process begins its own."""
        with self._lock:
            if self._pid != os.getpid():
                self._opened = {}
                self._loop = asyncio.new_event_loop()
                self._client: redis.Redis = store.connect(settings.REDIS_URL, 2.0)
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="desk", daemon=True
                )
                self._thread.start()
                self._pid = os.getpid()
            return self._loop

    def _rest(
        self, account: ExchangeAccount, key: KeyRow, loop: asyncio.AbstractEventLoop
    ) -> OrderRest:
        """By the key that its orders go with now: another key is another adapter."""
        addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
        name = str(account.pk), key.api_key_hash, addresses.spot, addresses.futures
        with self._lock:
            known = self._opened.get(name)
            if known is not None:
                known.used_at = time.monotonic()
                return known.rest
            opened = credentials.load(key, why="orders")
            try:
                rest = asyncio.run_coroutine_threadsafe(
                    self._open(addresses, opened, str(account.pk)), loop
                ).result(LONGEST_SECONDS)
            finally:
                opened.api_key.wipe()
                opened.secret.wipe()
            self._opened[name] = Opened(rest, time.monotonic())
            stale = self._stale(name)
        for old in stale:
            asyncio.run_coroutine_threadsafe(old.aclose(), loop)
        return rest

    def _stale(self, kept: Name) -> list[OrderRest]:
        """Unused, of another key of the same account, or too many."""
        now = time.monotonic()
        by_use = sorted(self._opened, key=lambda name: self._opened[name].used_at)
        gone = [
            name
            for name in by_use
            if name != kept
            and (name[0] == kept[0] or now - self._opened[name].used_at > IDLE_SECONDS)
        ]
        spare = len(self._opened) - len(gone) - MOST_OPEN
        gone += [name for name in by_use if name not in gone and name != kept][: max(0, spare)]
        # a call that still runs through one of them counts as unknown, and is looked up
        return [self._opened.pop(name).rest for name in gone]

    async def _open(self, addresses: Addresses, opened: Credentials, account: str) -> OrderRest:
        budget = OrderBudget(self._client, settings.VENUE, account)
        return OrderRest(addresses, opened, governors(self._client), budget)

    async def _close_all(self) -> None:
        for opened in self._opened.values():
            await opened.rest.aclose()
        self._opened = {}
        await self._client.aclose()


desk = Desk()
