"""The supervised share that hears every account's user streams: lease, subscriptions, events in
order into PostgreSQL, and a look by REST after every break."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
import structlog
import websockets
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError

from accounts.models import ExchangeAccount
from accounts.services import credentials
from accounts.vault.envelope import NotOurs
from accounts.vault.keyfiles import KeyProblem
from journal.models import Market
from journal.services import live_prices, valuing
from journal.stream import events, usdm
from journal.stream.spot import LIFE_SECONDS, SpotStream
from market.binance.account import AccountRest, Addresses, no_credentials
from market.binance.errors import BadKey, ExchangeError
from market.collector import lease
from market.collector.database import DatabaseThread
from market.hot import store
from market.listings import governors

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
SLICE_SECONDS = 6 * 3600.0
MOST_EVENTS = 10_000
EVENT_TRIES = 30
ASK_SECONDS = 0.5
BUILD_SECONDS = 0.05
PNL_SECONDS = 0.5
PRICES_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
# A subscription that was refused is tried again after so long.
REFUSED_SECONDS = 60.0


def share() -> str:
    return f"{settings.VENUE}:accounts"


def listen(shutdown: threading.Event) -> bool:
    """Until shutdown, the slice's end or the loss of the lease. False when another one listens."""
    holder = lease.new_holder()
    if shutdown.is_set() or not lease.acquire(share(), holder):
        return False
    log.info("user streams start", holder=holder)
    try:
        asyncio.run(Listening(holder, shutdown.is_set).run())
    finally:
        with contextlib.suppress(DatabaseError):
            lease.release(share(), holder)
    log.info("user streams end")
    return True


@dataclass(frozen=True)
class Known:
    """An account that shall be heard; another key makes it another one."""

    account_id: str
    key_hash: str
    has_futures: bool


class Listening:
    def __init__(self, holder: str, is_to_stop: Callable[[], bool]) -> None:
        self.holder = holder
        self.stop = asyncio.Event()
        self._is_to_stop = is_to_stop
        # threads of their own: nothing that takes long keeps the lease or the next event waiting
        self._database = DatabaseThread()
        self._lease_thread = DatabaseThread()
        self._ledger_thread = DatabaseThread()
        self._money_thread = DatabaseThread()
        self._events: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(MOST_EVENTS)
        # accounts that REST has to be asked about, and those whose books are due
        self._to_ask: set[str] = set()
        self._to_build: set[str] = set()
        self._known: dict[str, Known] = {}
        self._rests: dict[str, AccountRest] = {}
        self._futures: dict[str, asyncio.Task[None]] = {}
        self._making = asyncio.Lock()
        self._refused_until: dict[str, float] = {}
        # accounts whose futures stream was connected at least once
        self.futures_heard: set[str] = set()
        self._spot: SpotStream | None = None
        self.ended_at = time.monotonic() + SLICE_SECONDS

    async def run(self) -> None:
        self._client = store.connect(settings.REDIS_URL)
        works = (
            self._keep_lease, self._look, self._save, self._build, self._keep_spot, self._prices,
            self._pnl,
        )  # fmt: skip
        tasks = [asyncio.create_task(work(), name=work.__name__) for work in works]
        try:
            done, _ = await asyncio.wait(
                {*tasks, asyncio.create_task(self.stop.wait())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done & set(tasks):
                if task.exception() is not None:  # another worker starts anew within seconds
                    log.error("user streams broken", what=task.get_name(),
                              error=type(task.exception()).__name__)  # fmt: skip
        finally:
            for task in [*tasks, *self._futures.values()]:
                task.cancel()
            await asyncio.gather(*tasks, *self._futures.values(), return_exceptions=True)
            if self._spot is not None:
                await self._spot.close()
            for rest in self._rests.values():
                await rest.aclose()
            await self._client.aclose()
            for thread in (
                self._database, self._lease_thread, self._ledger_thread, self._money_thread,
            ):  # fmt: skip
                await asyncio.to_thread(thread.close, wait=True)

    # --- who is heard ---------------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        while not self._is_to_stop() and time.monotonic() < self.ended_at:
            try:
                state = "connected" if self._spot is not None else "reconnecting"
                if not await self._lease_thread.run(lease.renew, share(), self.holder, state):
                    break
            except DatabaseError:  # an unreachable database is not a lost lease
                log.warning("lease not renewed")
            for _ in range(int(lease.RENEW_SECONDS * 5)):
                if self._is_to_stop():
                    break
                await asyncio.sleep(0.2)
        self.stop.set()

    async def _look(self) -> None:
        """New accounts, other keys, accounts that were paused or deleted; and whether what is heard
        is what shall be heard."""
        while True:
            with contextlib.suppress(DatabaseError):
                wanted = await self._lease_thread.run(_live_accounts)
                for name, known in list(self._known.items()):
                    if wanted.get(name) != known:
                        await self._drop(name)
                for name, known in wanted.items():
                    if self._refused_until.get(name, 0) < time.monotonic():
                        await self._add(known)
            await asyncio.sleep(LOOK_SECONDS)

    async def _add(self, known: Known) -> None:
        """Whatever of it is not heard yet."""
        name = known.account_id
        self._known[name] = known
        stream = self._spot
        if stream is not None and not stream.has_ended and name not in stream.accounts.values():
            await self._subscribe(stream, name)
        task = self._futures.get(name)
        if name in self._known and known.has_futures and (task is None or task.done()):
            self._futures[name] = asyncio.create_task(
                usdm.follow(name, settings.BINANCE_FUTURES_STREAM_URL, self._sign, self._hear,
                            self._begin_futures)
            )  # fmt: skip

    async def _drop(self, name: str) -> None:
        self._known.pop(name, None)
        task = self._futures.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._spot is not None and not self._spot.has_ended:
            with contextlib.suppress(OSError, TimeoutError, websockets.WebSocketException):
                await self._spot.unsubscribe(name)
        rest = self._rests.pop(name, None)
        if rest is not None:
            await rest.aclose()

    async def _sign(self, name: str) -> AccountRest:
        """The account's adapter, made when it is first needed. Raises ExchangeError."""
        async with self._making:
            rest = await self._rest(name)
        await rest.measure_clock()
        return rest

    async def _rest(self, name: str) -> AccountRest:
        if name not in self._rests:
            try:
                opened = await self._lease_thread.run(_open, name)
            except (KeyProblem, NotOurs, ObjectDoesNotExist) as error:
                raise BadKey(0, "the key cannot be opened here") from error
            addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
            rest = AccountRest(addresses, opened, governors(self._client), patience=20)
            opened.api_key.wipe()
            opened.secret.wipe()
            self._rests[name] = rest
        return self._rests[name]

    # --- the spot connection --------------------------------------------------------------------

    async def _keep_spot(self) -> None:
        pause = 1.0
        while True:
            try:
                await self._connect_spot()
                pause = 1.0
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                log.warning("spot user stream lost", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _connect_spot(self) -> None:
        """The next connection is open and subscribed before the one before it is closed."""
        fresh = SpotStream(settings.BINANCE_SPOT_WS_API_URL, self._sign, self._hear)
        await fresh.open()
        try:
            for name in list(self._known):
                await self._subscribe(fresh, name)
        except BaseException:
            await fresh.close()
            raise
        before, self._spot = self._spot, fresh
        if before is not None:
            await before.close()
        ended = asyncio.create_task(fresh.wait_ended())
        ending = asyncio.create_task(fresh.is_ending.wait())
        try:
            await asyncio.wait(
                {ended, ending}, timeout=LIFE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (ended, ending):
                task.cancel()
        if fresh.has_ended:
            self._spot = None
            await fresh.close()
            raise ConnectionResetError("the spot user stream has ended")

    async def _subscribe(self, stream: SpotStream, name: str) -> None:
        """Subscribed, and then looked at by REST: what happened before is not told again. One that
        cannot be is tried again later, and holds nobody up."""
        try:
            await stream.subscribe(name)
        except (
            ExchangeError, ValueError, OSError, TimeoutError, DatabaseError,
            websockets.WebSocketException,
        ) as error:  # fmt: skip
            log.warning("account not heard", account=name, error=str(error)[:100])
            self._refused_until[name] = time.monotonic() + REFUSED_SECONDS
            await self._drop(name)
            return
        self._ask_rest(name)

    def _begin_futures(self, name: str) -> None:
        self.futures_heard.add(name)
        self._ask_rest(name)

    # --- events ---------------------------------------------------------------------------------

    def _hear(self, account: str, event: dict[str, Any]) -> None:
        try:
            self._events.put_nowait((account, event))
        except asyncio.QueueFull:  # REST tells what is lost here
            self._ask_rest(account)

    def _ask_rest(self, account: str) -> None:
        self._to_ask.add(account)

    async def _save(self) -> None:
        """One after the other, as they came; one that cannot be kept is asked for by REST."""
        while True:
            await self._mark_due()
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    account, event = await self._events.get()
            except TimeoutError:
                continue
            if not await self._keep(account, event):
                self._ask_rest(account)

    async def _mark_due(self) -> None:
        for account in list(self._to_ask):
            with contextlib.suppress(DatabaseError):
                await self._database.run(_ask_soon, account)
                self._to_ask.discard(account)

    async def _keep(self, account: str, event: dict[str, Any]) -> bool:
        for attempt in range(EVENT_TRIES):
            try:
                if await self._database.run(_take, account, event):
                    self._to_build.add(account)
                return True
            except DatabaseError as error:
                log.warning("event waits for postgresql", error=type(error).__name__)
                await asyncio.sleep(min(0.1 * 2**attempt, 5.0))
            except (KeyError, ValueError, TypeError, ExchangeError) as error:
                log.error("event not understood", kind=event.get("e"), error=str(error)[:100])
                return False
        return False

    async def _build(self) -> None:
        """Trades of accounts that have new fills, as soon as the ones before are done."""
        while True:
            for account in list(self._to_build):
                self._to_build.discard(account)
                try:
                    await self._ledger_thread.run(_build, account)
                except DatabaseError as error:
                    log.warning("books wait for postgresql", error=type(error).__name__)
                    self._to_build.add(account)
            await asyncio.sleep(BUILD_SECONDS)

    async def _prices(self) -> None:
        """Prices of open positions that no tape tells: marks of futures, spot of other symbols."""
        addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
        rest = AccountRest(addresses, no_credentials(), governors(self._client), patience=1)
        async with contextlib.aclosing(rest):
            while True:
                with contextlib.suppress(
                    DatabaseError, ExchangeError, redis.RedisError, OSError, KeyError
                ):
                    needed = await self._money_thread.run(live_prices.needed_prices)
                    await self._ask_prices(rest, needed)
                await asyncio.sleep(PRICES_SECONDS)

    async def _ask_prices(self, rest: AccountRest, needed: dict[str, set[str]]) -> None:
        now_ms = int(time.time() * 1000)
        if symbols := needed.get(Market.SPOT):
            rows = await rest.prices()
            known = {symbol: rows[symbol] for symbol in symbols if symbol in rows}
            await self._money_thread.run(live_prices.keep_prices, Market.SPOT, known, now_ms)
        if symbols := needed.get(Market.USDM):
            rows = {
                row["symbol"]: row["markPrice"]
                for row in await rest.read_public("/fapi/v1/premiumIndex")
            }
            known = {symbol: rows[symbol] for symbol in symbols if symbol in rows}
            await self._money_thread.run(live_prices.keep_prices, Market.USDM, known, now_ms)

    async def _pnl(self) -> None:
        """Open positions at the newest prices, as often as the hub may be told."""
        while True:
            with contextlib.suppress(DatabaseError, OSError, ExchangeError):
                await self._money_thread.run(valuing.tell_everyone)
            await asyncio.sleep(PNL_SECONDS)


def _live_accounts() -> dict[str, Known]:
    rows = ExchangeAccount.objects.here().filter(state=ExchangeAccount.State.LIVE)
    return {
        str(row.pk): Known(
            str(row.pk), row.api_key_hash, bool(row.permissions.get("enableFutures"))
        )
        for row in rows.exclude(api_key=b"")
    }


def _open(account_id: str) -> Any:
    return credentials.load(ExchangeAccount.objects.get(pk=account_id), why="user stream")


def _take(account_id: str, event: dict[str, Any]) -> bool:
    """Whether it made books due."""
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    return account is not None and bool(events.take(account, event).fills)


def _ask_soon(account_id: str) -> None:
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    if account is not None:
        events.ask_soon(account, whole=True)


def _build(account_id: str) -> None:
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    if account is not None:
        events.rebuild(account)
