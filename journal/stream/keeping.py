"""What the streams have heard -> PostgreSQL, in order, and the trades that come of it. One ill
account or event is set aside with its reason and holds nobody else up; nor does an account at
whose history another door is: its fills wait for it."""

import asyncio
import contextlib
import time
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError

from accounts.models import ExchangeAccount
from journal.stream import events
from journal.stream.backlog import Backlog
from journal.sync.doorkeeping import Busy
from lib.parking import Parking
from market.jobs.database import DatabaseThread
from market.jobs.guarding import BUSY, is_away, is_locked

log = structlog.get_logger(__name__)

MOST_EVENTS = 10_000
EVENT_TRIES = 30
# A statement that was cancelled: not as patient as with a database that is away, since everybody's
# events wait.
BUSY_TRIES = 3
ASK_SECONDS = 0.5
BUILD_SECONDS = 0.05
# An event that cannot be read is a reason to read everything, but not with each of many.
WHOLE_EVERY_SECONDS = 600.0
# While the database is away nobody is ill: tried again soon.
AWAY_SECONDS = 5.0


class Held(Exception):
    """A row that the event changes is held by somebody, mostly for a moment."""


def _queue(account: str, reason: Exception) -> str:
    """Fills wait for minutes; what met a held row is not behind them."""
    return account if isinstance(reason, Busy) else f"{account} rows"


class Keeper:
    """The queue of events and the two threads that work on it: one keeps, one builds trades."""

    def __init__(self) -> None:
        # nothing that takes long keeps the next event waiting
        self._database = DatabaseThread()
        self._ledger = DatabaseThread()
        self._events: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(MOST_EVENTS)
        self.backlog = Backlog()
        # accounts that REST has to be asked about, and whether about everything
        self._to_ask: dict[str, bool] = {}
        self._to_build: set[str] = set()
        self._whole_asked: dict[str, float] = {}
        self.parked = Parking()

    async def close(self) -> None:
        for thread in (self._database, self._ledger):
            await asyncio.to_thread(thread.close, wait=True)

    def hear(self, account: str, event: dict[str, Any]) -> None:
        try:
            self._events.put_nowait((account, event))
        except asyncio.QueueFull:  # REST tells what is lost here
            self.ask_rest(account)

    def ask_rest(self, account: str, *, whole: bool = True) -> None:
        self._to_ask[account] = whole or self._to_ask.get(account, False)

    # --- events ---------------------------------------------------------------------------------

    async def save(self) -> None:
        """One after the other, as they came; one that cannot be kept is asked for by REST."""
        while True:
            await self._mark_due()
            await self._keep_backlog()
            try:
                async with asyncio.timeout(0 if self.backlog.ready() else ASK_SECONDS):
                    account, event = await self._events.get()
            except TimeoutError:
                continue
            try:
                if not await self.keep(account, event):
                    self._ask_instead(account)
            except (Busy, Held) as reason:
                if not self.backlog.add(_queue(account, reason), event):
                    log.warning("events given up", account=account)
                    self._ask_instead(account)

    async def _keep_backlog(self) -> None:
        """One event of each account that waits, so that the others have their turns."""
        for queue, event in self.backlog.ready():
            account = queue.partition(" ")[0]
            try:
                if not await self.keep(account, event):
                    self._ask_instead(account)
                self.backlog.kept(queue)
            except (Busy, Held):
                if not self.backlog.refused(queue):
                    log.warning("events given up", account=account)
                    self._ask_instead(account)

    async def keep(self, account: str, event: dict[str, Any]) -> bool:
        """False for an event that is set aside: it is in the log with its reason. Raises Busy for
        one whose fill has to wait for another door, and Held for one that meets a held row."""
        for attempt in range(EVENT_TRIES):
            try:
                heard = await self._database.run(_take, account, event)
                if heard.must_wait:
                    raise Busy
                if heard.fills:
                    self._to_build.add(account)
                return True
            except Busy:
                raise
            except (OperationalError, InterfaceError) as error:
                if is_locked(error):
                    raise Held from error
                log.warning("event waits for postgresql", error=type(error).__name__)
                if isinstance(error.__cause__, BUSY) and attempt + 1 >= BUSY_TRIES:
                    return False
                await asyncio.sleep(min(0.1 * 2**attempt, AWAY_SECONDS))
            except Exception as error:  # the next event may be another account's
                log.exception(
                    "event set aside",
                    account=account,
                    kind=str(event.get("e"))[:40],
                    error=f"{type(error).__name__}: {error}"[:200],
                )
                return False
        return False

    def _ask_instead(self, account: str) -> None:
        now = time.monotonic()
        is_due = now - self._whole_asked.get(account, -WHOLE_EVERY_SECONDS) >= WHOLE_EVERY_SECONDS
        if is_due:
            self._whole_asked[account] = now
        self.ask_rest(account, whole=is_due)

    async def _mark_due(self) -> None:
        for account, whole in list(self._to_ask.items()):
            with contextlib.suppress(DatabaseError):
                await self._database.run(_ask_soon, account, whole)
                del self._to_ask[account]

    # --- trades ---------------------------------------------------------------------------------

    async def build(self) -> None:
        """Trades of accounts that have new fills, as soon as the ones before are done."""
        while True:
            for account in [name for name in self._to_build if not self.parked.is_parked(name)]:
                self._to_build.discard(account)
                await self._build(account)
            await asyncio.sleep(BUILD_SECONDS)

    async def _build(self, account: str) -> None:
        try:
            await self._ledger.run(_build, account)
        except Exception as error:  # one account's books stop nobody else's
            longest = AWAY_SECONDS if is_away(error) or is_locked(error) else None
            pause = self.parked.park(account, longest=longest)
            self._to_build.add(account)
            log.exception(
                "books set aside",
                account=account,
                again_in=pause,
                error=f"{type(error).__name__}: {error}"[:200],
            )
        else:
            self.parked.clear(account)


def _take(account_id: str, event: dict[str, Any]) -> events.Heard:
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    return events.take(account, event) if account is not None else events.Heard()


def _ask_soon(account_id: str, whole: bool) -> None:
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    if account is not None:
        events.ask_soon(account, whole=whole)


def _build(account_id: str) -> None:
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    if account is not None:
        events.rebuild(account)
