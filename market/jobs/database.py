"""PostgreSQL for the collector's event loop: one helper thread that drops dead connections."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="collector-db")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ORM work in the helper thread; its exceptions come through."""

        def call() -> T:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self, *, wait: bool = False) -> None:
        """What is queued is dropped; what is at work is waited for when asked to."""
        self._pool.shutdown(wait=wait, cancel_futures=True)
