"""The supervised share that hears every account's user streams: lease, subscriptions, and a look by
REST after every break."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
import websockets
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from accounts.services import credentials
from accounts.vault.keyfiles import KeyProblem
from journal.models import Sync
from journal.models.guests import accounts_asleep
from journal.stream import usdm
from journal.stream.events import UNREADABLE
from journal.stream.keeping import Keeper
from journal.stream.pricing import Pricing
from journal.stream.spot import LIFE_SECONDS, SpotStream
from lib.envelope import NotOurs
from lib.parking import Parking
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import BadKey, ExchangeError
from market.binance.signing import Addresses
from market.hot import store
from market.jobs import lease
from market.jobs.database import DatabaseThread

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
SLICE_SECONDS = 6 * 3600.0
LONGEST_PAUSE_SECONDS = 30.0
# A subscription that was refused is tried again after so long.
REFUSED_SECONDS = 60.0
# So often it is written down who is heard: they need not be asked by REST so often.
HEARD_SECONDS = 30.0


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
        # a thread of its own: nothing that takes long keeps the lease waiting
        self._lease_thread = DatabaseThread()
        self.keeper = Keeper()
        self._known: dict[str, Known] = {}
        self._rests: dict[str, AccountRest] = {}
        self._futures: dict[str, asyncio.Task[None]] = {}
        self._making = asyncio.Lock()
        # accounts whose subscription was refused, and those that cannot be heard at all
        self._refused_until: dict[str, float] = {}
        self.parked = Parking()
        # accounts whose futures stream was connected at least once
        self.futures_heard: set[str] = set()
        # and those whose futures stream is connected now
        self._futures_up: set[str] = set()
        self._spot: SpotStream | None = None
        self.ended_at = time.monotonic() + SLICE_SECONDS

    async def run(self) -> None:
        self._client = store.connect(settings.REDIS_URL)
        pricing = Pricing(self._client)
        works = (
            self._keep_lease,
            self._look,
            self.keeper.save,
            self.keeper.build,
            self._keep_spot,
            self._note_heard,
            pricing.prices,
            pricing.pnl,
        )
        tasks = [asyncio.create_task(work(), name=work.__name__) for work in works]
        try:
            done, _ = await asyncio.wait(
                {*tasks, asyncio.create_task(self.stop.wait())},
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done & set(tasks):
                if task.exception() is not None:  # another worker starts anew within seconds
                    log.error(
                        "user streams broken",
                        what=task.get_name(),
                        error=type(task.exception()).__name__,
                    )
        finally:
            for task in [*tasks, *self._futures.values()]:
                task.cancel()
            await asyncio.gather(*tasks, *self._futures.values(), return_exceptions=True)
            if self._spot is not None:
                await self._spot.close()
            for rest in self._rests.values():
                await rest.aclose()
            await self._client.aclose()
            await self.keeper.close()
            await pricing.close()
            await asyncio.to_thread(self._lease_thread.close, wait=True)

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
                for known in wanted.values():
                    await self._add_apart(known)
            await asyncio.sleep(LOOK_SECONDS)

    async def _note_heard(self) -> None:
        while True:
            await asyncio.sleep(HEARD_SECONDS)
            with contextlib.suppress(DatabaseError):
                await self._lease_thread.run(_heard_now, self.heard())

    def heard(self) -> list[str]:
        """Accounts of which nothing that a stream tells is missed at this moment."""
        stream = self._spot
        if stream is None or stream.has_ended:
            return []
        spot = set(stream.accounts.values())
        return [
            name
            for name, known in self._known.items()
            if name in spot and (not known.has_futures or name in self._futures_up)
        ]

    async def _add_apart(self, known: Known) -> None:
        """One that cannot be heard, for whatever reason, is tried again later."""
        name = known.account_id
        if self.parked.is_parked(name):
            return
        try:
            await self._add(known)
        except Exception as error:
            pause = self.parked.park(name)
            log.exception(
                "account set aside",
                account=name,
                again_in=pause,
                error=f"{type(error).__name__}: {error}"[:200],
            )
        else:
            self.parked.clear(name)

    async def _add(self, known: Known) -> None:
        """Whatever of it is not heard yet."""
        name = known.account_id
        self._known[name] = known
        stream = self._spot
        is_refused = self._refused_until.get(name, 0) > time.monotonic()
        if (
            stream is not None
            and not stream.has_ended
            and not is_refused
            and name not in stream.accounts.values()
        ):
            await self._subscribe(stream, name)
        task = self._futures.get(name)
        if known.has_futures and (task is None or task.done()):
            self._futures[name] = asyncio.create_task(
                usdm.follow(
                    name,
                    settings.BINANCE_FUTURES_STREAM_URL,
                    self._sign,
                    self.keeper.hear,
                    self._begin_futures,
                    self._futures_up.discard,
                )
            )

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
        fresh = SpotStream(settings.BINANCE_SPOT_WS_API_URL, self._sign, self.keeper.hear)
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
        cannot be is tried again later, holds nobody up, and keeps its futures stream."""
        try:
            await stream.subscribe(name)
        except (
            ExchangeError,
            OSError,
            TimeoutError,
            DatabaseError,
            websockets.WebSocketException,
            *UNREADABLE,
        ) as error:
            log.warning("account not heard", account=name, error=str(error)[:100])
            if not stream.has_ended:  # else it is the connection that failed, and nobody's key
                self._refused_until[name] = time.monotonic() + REFUSED_SECONDS
            return
        self.keeper.ask_rest(name)

    def _begin_futures(self, name: str) -> None:
        self.futures_heard.add(name)
        self._futures_up.add(name)
        self.keeper.ask_rest(name)


def _live_accounts() -> dict[str, Known]:
    """Not what nobody looks at, once it is read."""
    asleep = accounts_asleep().filter(sync__state=Sync.State.COMPLETE)
    live = ExchangeAccount.objects.here().filter(state=ExchangeAccount.State.LIVE)
    rows = live.exclude(pk__in=asleep.values("pk"))
    return {
        str(row.pk): Known(
            str(row.pk), row.api_key_hash, bool(row.permissions.get("enableFutures"))
        )
        for row in rows.exclude(api_key=b"")
    }


def _heard_now(names: list[str]) -> None:
    Sync.objects.filter(account__in=[UUID(name) for name in names]).update(heard_at=Now())


def _open(account_id: str) -> Any:
    return credentials.load(ExchangeAccount.objects.get(pk=account_id), why="user stream")
