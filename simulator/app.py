"""The simulator's web application: one event loop, one exchange, REST and sockets."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from simulator.connection import Lifetime
from simulator.exchange import Exchange
from simulator.injector import Injector, Script
from simulator.limits import ATTEMPTS, FIRST_BAN_SECONDS
from simulator.rest.control import Control
from simulator.rest.gate import Gate
from simulator.rest.spot import SpotRest
from simulator.rest.usdm import UsdmRest
from simulator.sockets import Sockets

TICK_SECONDS = 0.01
FAILED_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """How the exchange treats its clients."""

    lifetime: Lifetime = field(default_factory=Lifetime)
    attempts: int = ATTEMPTS
    first_ban_seconds: float = FIRST_BAN_SECONDS
    futures_port: int = 0
    script: Script | None = None


SOCKETS = web.AppKey("sockets", Sockets)


def make_app(exchange: Exchange, options: Options | None = None) -> web.Application:
    options = options or Options()
    sockets = Sockets(
        exchange, options.lifetime, futures_port=options.futures_port, attempts=options.attempts
    )
    injector = Injector(exchange, sockets)
    markets = [SpotRest(exchange), UsdmRest(exchange)]
    control = Control(exchange, sockets, injector)
    gate = Gate(exchange.faults, markets, control, options.first_ban_seconds, time.time)
    app = web.Application(middlewares=[gate.pass_through])
    app[SOCKETS] = sockets
    for market in markets:
        app.add_routes(market.routes())
    app.add_routes([*control.routes(), *sockets.routes()])

    async def run_exchange(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_advance_for_ever(exchange, sockets))]
        if options.script is not None:
            tasks.append(asyncio.create_task(injector.play(options.script)))
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close_sockets(_: web.Application) -> None:
        sockets.cut()
        for market in exchange.markets.values():
            for symbol in market.symbols:
                symbol.tape.close()

    app.cleanup_ctx.append(run_exchange)
    app.on_shutdown.append(close_sockets)
    return app


async def _advance_for_ever(exchange: Exchange, sockets: Sockets) -> None:
    while True:
        try:
            exchange.advance()
            sockets.flush()
        except Exception:  # noqa: BLE001  (a defect must not silence every other symbol)
            traceback.print_exc()
            await asyncio.sleep(FAILED_SECONDS)
        await asyncio.sleep(TICK_SECONDS)
