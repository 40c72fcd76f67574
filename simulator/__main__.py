"""An exchange in a box: speaks Binance's spot protocol on one port, from one tape a symbol.

python -m simulator                                     generated BTCUSDT, ETHUSDT, SOLUSDT
python -m simulator --tape BTCUSDT=capture.gz --speed 10
python -m simulator --drop 0.01 --double 0.01 --swap 0.01 --cut-every 20
"""

import argparse
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from simulator.app import make_app
from simulator.exchange import Exchange
from simulator.faults import Faults


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="simulator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8001)
    made.add_argument("--symbols", default="BTCUSDT,ETHUSDT,SOLUSDT", help="generated symbols")
    made.add_argument("--tape", action="append", default=[], metavar="SYMBOL=FILE",
                      help="replay a capture instead of generating SYMBOL")  # fmt: skip
    made.add_argument("--speed", type=float, default=1.0, help="of a replay; 0: as fast as it goes")
    made.add_argument("--pace", type=float, default=1.0, help="generated orders, times the usual")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--data", type=Path, help="folder that keeps the generated tapes")
    made.add_argument("--rest-lag", type=int, default=300, metavar="MS",
                      help="how far historicalTrades is behind the stream")  # fmt: skip
    for fault in ("drop", "double", "swap"):
        made.add_argument(f"--{fault}", type=float, default=0.0, help=f"share of frames to {fault}")
    made.add_argument("--cut-every", type=float, default=0.0, metavar="SECONDS",
                      help="cut each connection about so often")  # fmt: skip
    return made


def make_exchange(arguments: argparse.Namespace) -> Exchange:
    """Raises ValueError with a sentence for a tape that cannot be used."""
    faults = Faults(
        arguments.drop, arguments.double, arguments.swap, arguments.cut_every, arguments.seed
    )
    exchange = Exchange(faults, arguments.rest_lag)
    for item in arguments.tape:
        symbol, equals, path = item.partition("=")
        if not equals or not Path(path).is_file():
            raise ValueError(f"--tape: expected SYMBOL=FILE with a file that exists, was {item!r}")
        exchange.list_captured(symbol.upper(), Path(path), arguments.speed)
    for symbol in arguments.symbols.split(","):
        if symbol and symbol.upper() not in exchange.symbols:
            exchange.list_generated(symbol.upper(), arguments.data, arguments.seed, arguments.pace)
    return exchange


def main() -> int:
    arguments = parser().parse_args()
    try:
        exchange = make_exchange(arguments)
    except ValueError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    sys.stdout.write(f"exchange at http://{arguments.host}:{arguments.port}\n")
    web.run_app(
        make_app(exchange), host=arguments.host, port=arguments.port, print=None,
        loop=uvloop.new_event_loop(), shutdown_timeout=1.0,
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
