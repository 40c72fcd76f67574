"""Each socket's opening is timed and counted by its route."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from market.hot import tally
from market.hot.timers import SOCKET_OPENING, SOCKETS

App = Callable[[Any, Any, Any], Awaitable[None]]


class MeasuredSockets:
    """`routes`: path -> label; what is at no such path is not counted."""

    def __init__(self, inner: App, routes: dict[str, str]) -> None:
        self._inner = inner
        self._routes = routes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        route = self._routes.get(scope["path"])
        if route is None:
            await self._inner(scope, receive, send)
            return
        begun_at: float | None = time.perf_counter()

        async def measured(message: Any) -> None:
            nonlocal begun_at
            if begun_at is not None:
                tally.observe(SOCKET_OPENING, time.perf_counter() - begun_at, route)
                is_accepted = message["type"] == "websocket.accept"
                tally.count(SOCKETS, route, "accepted" if is_accepted else "refused")
                begun_at = None
            await send(message)

        await self._inner(scope, receive, measured)
