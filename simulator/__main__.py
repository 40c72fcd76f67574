"""An exchange in a box: Binance's public market data, spot and USD-M futures, on one port.

  python -m simulator                                        BTCUSDT, ETHUSDT, SOLUSDT, made up
  python -m simulator --futures BTCUSDT                      USD-M futures beside them
  python -m simulator --tape BTCUSDT=capture.gz --speed 10   a recording, ten times as fast
  python -m simulator --tape usdm:BTCUSDT=BTCUSDT-trades-2026-11-01.zip --loop
  python -m simulator --drop 0.01 --cut-every 20             things go wrong all the time
  python -m simulator --faults faults.toml                   things go wrong as written

Spot's REST is at http://HOST:PORT/api/v3/, its streams at ws://HOST:PORT/ws and /stream; futures'
REST at /fapi/v1/, its streams at /public, /market and /private. Control: /simulator/faults,
/simulator/truth, /simulator/status. The manual is docs/simulator.md.
"""

import argparse
import asyncio
import math
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from simulator.app import Options, make_app
from simulator.connection import Lifetime
from simulator.exchange import Exchange
from simulator.faults import FRAME_KINDS, Faults
from simulator.injector import read_script
from simulator.limits import ATTEMPTS, FIRST_BAN_SECONDS
from simulator.listing import SPOT, USDM

# What the demo account trades beside the listed symbols: its fees are in BNB.
DEMO = ((SPOT, "BNBUSDT"), (USDM, "BTCUSDT"), (USDM, "ETHUSDT"))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="simulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8001)
    made.add_argument(
        "--futures-port",
        type=int,
        default=0,
        metavar="PORT",
        help="a second port where addresses without /public or /market are futures' "
        "too: they take every subscription and serve only /public",
    )
    made.add_argument(
        "--demo",
        action="store_true",
        help="an account with a year of history; its key is told by /simulator/accounts",
    )
    _add_tapes(made.add_argument_group("tapes"))
    _add_faults(made.add_argument_group("faults"))
    _add_limits(made.add_argument_group("how clients are treated"))
    return made


def _add_tapes(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--symbols", default="BTCUSDT,ETHUSDT,SOLUSDT", help="made up, spot")
    group.add_argument("--futures", default="", metavar="SYMBOLS", help="made up, USD-M futures")
    group.add_argument(
        "--tape",
        action="append",
        default=[],
        metavar="[MARKET:]SYMBOL=FILE",
        help="replay a capture (`<local time> <combined frame>` a line, plain or "
        ".gz) or a file of data.binance.vision (.csv, .zip); MARKET is spot or "
        "usdm",
    )
    group.add_argument("--speed", type=float, default=1.0, help="of replays; 0: as fast as it goes")
    group.add_argument(
        "--loop", action="store_true", help="begin a replay again at its end; ids and times go on"
    )
    group.add_argument("--pace", type=float, default=1.0, help="made-up orders, times the usual")
    group.add_argument("--seed", type=int, default=1)
    group.add_argument(
        "--data", type=Path, metavar="FOLDER", help="keeps made-up tapes: ids go on after a restart"
    )


def _add_faults(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--faults", type=Path, metavar="FILE", help="a script of faults (TOML)")
    for fault in FRAME_KINDS:
        name = f"--{fault.replace('_', '-')}"
        group.add_argument(
            name, type=float, default=0.0, metavar="SHARE", help=f"share of frames to {fault}"
        )
    group.add_argument(
        "--cut-every",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="cut each connection about so often",
    )
    group.add_argument(
        "--clock-offset",
        type=float,
        default=0.0,
        metavar="MS",
        help="of the whole exchange, trades too",
    )
    group.add_argument(
        "--rest-lag",
        type=int,
        default=300,
        metavar="MS",
        help="how far historicalTrades is behind the streams",
    )


def _add_limits(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--life", type=float, default=86_400.0, metavar="SECONDS", help="of a connection (24 h)"
    )
    group.add_argument("--ping-every", type=float, default=20.0, metavar="SECONDS")
    group.add_argument("--pong-within", type=float, default=60.0, metavar="SECONDS")
    group.add_argument(
        "--attempts", type=int, default=ATTEMPTS, help="connections that may be opened in 5 minutes"
    )
    group.add_argument(
        "--first-ban",
        type=float,
        default=FIRST_BAN_SECONDS,
        metavar="SECONDS",
        help="the first 418; each further one is twice as long",
    )


def make_exchange(arguments: argparse.Namespace) -> Exchange:
    """Raises ValueError with a sentence for a tape that cannot be used."""
    if not 0 < arguments.pace < math.inf or not 0 <= arguments.speed < math.inf:
        raise ValueError("expected --pace > 0 and --speed >= 0")
    rates = {kind: getattr(arguments, kind) for kind in (*FRAME_KINDS, "cut_every")}
    faults = Faults(arguments.seed, **rates)
    exchange = Exchange(faults, arguments.rest_lag)
    exchange.clock_offset_us = int(arguments.clock_offset * 1000)
    for item in arguments.tape:
        market, name, path = _tape(item)
        exchange.list_recorded(name, path, arguments.speed, market, is_looped=arguments.loop)
    spot, futures = arguments.symbols.upper().split(","), arguments.futures.upper().split(",")
    if arguments.demo:
        spot += [name for market, name in DEMO if market == SPOT]
        futures += [name for market, name in DEMO if market == USDM]
    for market, names in ((SPOT, spot), (USDM, futures)):
        for name in filter(None, names):
            if name not in exchange.markets[market].listed:
                exchange.list_generated(
                    name, arguments.data, arguments.seed, arguments.pace, market
                )
    return exchange


def _tape(item: str) -> tuple[str, str, Path]:
    name, equals, path = item.partition("=")
    market, colon, symbol = name.rpartition(":")
    market = market if colon else SPOT
    if not equals or not symbol or market not in {SPOT, USDM} or not Path(path).is_file():
        raise ValueError(
            f"--tape: expected [spot:|usdm:]SYMBOL=FILE with a file that exists, was {item!r}"
        )
    return market, symbol.upper(), Path(path)


def make_options(arguments: argparse.Namespace) -> Options:
    """Raises ValueError with a sentence for a script that cannot be used."""
    return Options(
        Lifetime(arguments.ping_every, arguments.pong_within, arguments.life),
        arguments.attempts,
        arguments.first_ban,
        arguments.futures_port,
        read_script(arguments.faults) if arguments.faults else None,
        arguments.data / "accounts.json" if arguments.data else None,
        arguments.demo,
    )


async def serve(app: web.Application, host: str, ports: list[int]) -> None:
    runner = web.AppRunner(app, shutdown_timeout=1.0, handle_signals=True, access_log=None)
    await runner.setup()
    try:
        for port in ports:
            await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> int:
    arguments = parser().parse_args()
    try:
        exchange, options = make_exchange(arguments), make_options(arguments)
    except ValueError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    ports = [port for port in (arguments.port, arguments.futures_port) if port]
    sys.stdout.write(f"exchange at http://{arguments.host}:{arguments.port}\n")
    sys.stdout.flush()
    try:
        uvloop.run(serve(make_app(exchange, options), arguments.host, ports))
    except (KeyboardInterrupt, web.GracefulExit):
        return 0
    except OSError as error:
        sys.stderr.write(f"simulator: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
