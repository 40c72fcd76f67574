"""What runs in one event loop beside the flow: repeated steps, and work in the background."""

import asyncio
from collections.abc import Awaitable, Callable

import redis.asyncio as redis
import structlog
from django.db import Error as DatabaseError

from market.binance.errors import ExchangeError

log = structlog.get_logger(__name__)


class Loops:
    """`stop` ends all of them."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Work in the background, cancelled by `finish` at the latest."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Whatever background work holds is given back before its owner closes."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def every(
        self, seconds: float, step: Callable[[], Awaitable[None]], *, may_cancel: bool = False
    ) -> None:
        """Do one step, sleep, until `stop`; a store that is away is no reason to end."""
        while not self.stop.is_set():
            try:
                if may_cancel:
                    await self._until_stopped(step())
                else:
                    await step()
            except (ExchangeError, DatabaseError, redis.RedisError, OSError) as error:
                log.warning("step failed", step=step.__name__, error=str(error)[:200])
            except Exception:  # noqa: BLE001  (no defect beside the flow may end it)
                log.exception("step broke", step=step.__name__)
            try:
                async with asyncio.timeout(seconds):
                    await self.stop.wait()
            except TimeoutError:
                pass

    async def _until_stopped(self, work: Awaitable[None]) -> None:
        """Long work that goes on from where it was ends at once when we are told to stop."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.wait({task})
        await asyncio.gather(task, return_exceptions=self.stop.is_set())
