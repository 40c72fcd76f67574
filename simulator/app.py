"""The simulator's web application: one event loop, one exchange, REST and sockets."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.history import give_past
from simulator.accounts.trader import Trader
from simulator.connection import Lifetime
from simulator.exchange import Exchange
from simulator.injector import Injector, Script
from simulator.limits import ATTEMPTS, FIRST_BAN_SECONDS
from simulator.listen_keys import ListenKeys
from simulator.rest.archive import Archive
from simulator.rest.bank_control import BankControl
from simulator.rest.control import Control
from simulator.rest.downloads import Downloads
from simulator.rest.gate import Gate
from simulator.rest.order_lists import OrderListRest
from simulator.rest.sapi import Sapi
from simulator.rest.signed import Door
from simulator.rest.spot import SpotRest
from simulator.rest.spot_account import SpotAccountRest
from simulator.rest.spot_orders import SpotOrdersRest
from simulator.rest.usdm import UsdmRest
from simulator.rest.usdm_account import UsdmAccountRest
from simulator.rest.usdm_algo import UsdmAlgoRest
from simulator.rest.usdm_orders import UsdmOrdersRest
from simulator.rest.usdm_settings import UsdmSettingsRest
from simulator.sockets import Sockets
from simulator.wsapi import WsApi

TICK_SECONDS = 0.02
FAILED_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """How the exchange treats its clients."""

    lifetime: Lifetime = field(default_factory=Lifetime)
    attempts: int = ATTEMPTS
    first_ban_seconds: float = FIRST_BAN_SECONDS
    futures_port: int = 0
    script: Script | None = None
    # where accounts are kept over restarts, and whether there is one with a year behind it
    accounts: Path | None = None
    has_demo: bool = False


SOCKETS = web.AppKey("sockets", Sockets)
BANK = web.AppKey("bank", Bank)


def make_app(exchange: Exchange, options: Options | None = None) -> web.Application:
    options = options or Options()
    sockets = Sockets(
        exchange, options.lifetime, futures_port=options.futures_port, attempts=options.attempts
    )
    bank = Bank(exchange, options.accounts)
    give_past(bank, opens_demo=options.has_demo)
    door = Door(bank)
    listen_keys = ListenKeys(bank)
    api = WsApi(bank, door, options.lifetime, sockets.attempts)
    injector = Injector(exchange, sockets, api)
    markets = [SpotRest(exchange), UsdmRest(exchange)]
    archive = Archive(exchange)
    control = Control(exchange, sockets, injector)
    private = [
        SpotAccountRest(bank, door).routes(),
        SpotOrdersRest(bank, door).routes(),
        OrderListRest(bank, door).routes(),
        UsdmAccountRest(bank, door, listen_keys).routes(),
        UsdmOrdersRest(bank, door).routes(),
        UsdmAlgoRest(bank, door).routes(),
        UsdmSettingsRest(bank, door).routes(),
        Sapi(bank, door).routes(),
        Downloads(bank, door).routes(),
        BankControl(bank).routes(),
        api.routes(),
        archive.routes(),
    ]
    gate = Gate(exchange.faults, markets, control, options.first_ban_seconds, time.time)
    app = web.Application(middlewares=[gate.pass_through])
    app[SOCKETS] = sockets
    for market in markets:
        app.add_routes(market.routes())
    for routes in private:
        app.add_routes(routes)
    app.add_routes([*control.routes(), *sockets.routes()])
    app[BANK] = bank

    async def run_exchange(_: web.Application) -> AsyncIterator[None]:
        ticks = [exchange.advance, bank.tick, listen_keys.tick, sockets.flush]
        if options.has_demo:
            ticks.append(Trader(bank).tick)
        tasks = [asyncio.create_task(_advance_for_ever(ticks))]
        if options.script is not None:
            tasks.append(asyncio.create_task(injector.play(options.script)))
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def close_sockets(_: web.Application) -> None:
        sockets.cut()
        api.cut()
        bank.save()
        archive.close()
        for market in exchange.markets.values():
            for symbol in market.symbols:
                symbol.tape.close()

    app.cleanup_ctx.append(run_exchange)
    app.on_shutdown.append(close_sockets)
    return app


async def _advance_for_ever(ticks: Sequence[Callable[[], None]]) -> None:
    while True:
        try:
            for tick in ticks:
                tick()
        except Exception:  # noqa: BLE001  (a defect must not silence every other symbol)
            traceback.print_exc()
            await asyncio.sleep(FAILED_SECONDS)
        await asyncio.sleep(TICK_SECONDS)
