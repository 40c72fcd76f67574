"""The simulator's web application: one event loop, one exchange, REST and sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from simulator.exchange import Exchange
from simulator.rest import Rest
from simulator.sockets import Sockets

TICK_SECONDS = 0.01


def make_app(exchange: Exchange) -> web.Application:
    sockets = Sockets(exchange)
    rest = Rest(exchange, sockets)
    app = web.Application(middlewares=[rest.weigh])
    app.add_routes(
        [
            *rest.routes(),
            web.get("/ws", sockets.raw),
            web.get("/ws/{streams:.+}", sockets.raw),
            web.get("/stream", sockets.combined),
        ]
    )

    async def run_exchange(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_advance_for_ever(exchange))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def close_sockets(_: web.Application) -> None:
        sockets.cut_all()
        for symbol in exchange.symbols.values():
            symbol.tape.close()

    app.cleanup_ctx.append(run_exchange)
    app.on_shutdown.append(close_sockets)
    return app


async def _advance_for_ever(exchange: Exchange) -> None:
    while True:
        exchange.advance()
        await asyncio.sleep(TICK_SECONDS)
