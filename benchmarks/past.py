"""What the simulator's past costs: candles of a year, a page of REST, a day's file. CPU seconds of
one process, so that a busy machine counts as an idle one.

  python -m benchmarks.past
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from simulator import archive
from simulator.accounts.bank import Bank
from simulator.accounts.history import open_demo
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.klines import DAY_US, klines
from simulator.sources.walk import DAY_MS, DAYS, Walks
from simulator.tape import Tape

NOW_US = 1_790_035_200_000_000
START_US = NOW_US // DAY_US * DAY_US - DAYS * DAY_US
DAY = START_US + 200 * DAY_US


def exchange_with_past() -> Exchange:
    exchange = Exchange(Faults(), clock=lambda: NOW_US)
    for name in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0)
    for name in ("BTCUSDT", "ETHUSDT"):
        exchange.list_generated(name, None, seed=1, pace=1.0, market="usdm")
    exchange.go_on_from(Walks(1, START_US // DAY_US * DAY_MS))
    return exchange


def measured(name: str, work: Callable[[], object]) -> None:
    begun = time.process_time()
    result = work()
    sys.stdout.write(f"{name:<44} {time.process_time() - begun:8.3f} s  {result}\n")


def file_of(exchange: Exchange, path: str) -> str:
    item = archive.wanted(path)
    assert item is not None
    symbol = exchange.markets[item.market].listed[item.symbol].symbol
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.zip"
        archive.write(made, item, symbol.tape, symbol.rules, (), 0)
        return f"{made.stat().st_size:,} bytes"


def main() -> None:
    exchange = exchange_with_past()
    tape = exchange.symbols["BTCUSDT"].tape
    day = time.strftime("%Y-%m-%d", time.gmtime(DAY / 1e6))
    head = "data/spot/daily"
    measured("a page of 1000 minutes", lambda: _count(tape, "1m", 1000 * 60_000_000))
    measured("a page of 1000 seconds", lambda: _count(tape, "1s", 1_000_000_000))
    measured(
        "a day's file of trades",
        lambda: file_of(exchange, f"{head}/trades/BTCUSDT/BTCUSDT-trades-{day}.zip"),
    )
    measured(
        "a day's file of aggregates",
        lambda: file_of(exchange, f"{head}/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{day}.zip"),
    )
    measured("a year of days, the first time", lambda: _year(tape, "1d"))
    measured("a year of days, again", lambda: _year(tape, "1d"))
    measured("a year of minutes", lambda: _year(tape, "1m"))
    measured("the demo's year", lambda: len(open_demo(Bank(exchange)).fills))


def _count(tape: Tape, interval: str, length_us: int) -> str:
    count = sum(1 for _ in klines(tape, interval, DAY, DAY + length_us - 1))
    return f"{count} candles"


def _year(tape: Tape, interval: str) -> str:
    count = sum(1 for _ in klines(tape, interval, START_US, NOW_US))
    return f"{count} candles"


if __name__ == "__main__":
    main()
