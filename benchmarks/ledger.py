"""The ledger on 100k and 1M fills over 50 symbols.

  make bench-ledger

Reference in the same run: sorting the fills and multiplying price by quantity once each, the least
that any ledger must do.
"""

import random
import resource
import sys
import time
from decimal import Decimal

from journal.ledger import Fill, compute

SYMBOLS = [f"S{number}USDT" for number in range(50)]


def history(count: int) -> list[Fill]:
    """Perpetual fills that come and go around flat; shuffled."""
    rng = random.Random(1)
    held = dict.fromkeys(SYMBOLS, 0)
    fills = []
    for number in range(count):
        symbol = rng.choice(SYMBOLS)
        size = rng.randint(1, 9)
        side = "SELL" if held[symbol] > rng.randint(-20, 20) else "BUY"
        held[symbol] += size if side == "BUY" else -size
        fills.append(
            Fill(
                str(number), number, symbol, symbol[:-4], "USDT", side,
                Decimal(rng.randint(9_000, 11_000)) / 100, Decimal(size) / 10, Decimal("0.01"),
                "USDT", market="usdm",
            )
        )  # fmt: skip
    rng.shuffle(fills)
    return fills


def least(fills: list[Fill]) -> float:
    started = time.perf_counter()
    total = Decimal(0)
    for fill in sorted(fills, key=lambda fill: (fill.symbol, fill.time, int(fill.id))):
        total += fill.price * fill.quantity
    return time.perf_counter() - started


def measure(count: int) -> None:
    fills = history(count)
    reference = least(fills)
    print(f"\n{count:,} fills, {len(SYMBOLS)} symbols; sort and multiply alone: {reference:.2f} s")
    for method in ("fifo", "lifo", "hifo", "average"):
        started = time.perf_counter()
        ledger = compute(fills, method=method)
        full = time.perf_counter() - started
        last = Fill("x", count + 1, SYMBOLS[0], "S0", "USDT", "BUY", Decimal(100), Decimal(1),
                    market="usdm")  # fmt: skip
        started = time.perf_counter()
        ledger.extend([last])
        newest = time.perf_counter() - started
        middle = Fill("y", count // 2, SYMBOLS[1], "S1", "USDT", "BUY", Decimal(100), Decimal(1),
                      market="usdm")  # fmt: skip
        started = time.perf_counter()
        ledger.extend([middle])
        amid = time.perf_counter() - started
        print(
            f"  {method:<8} full {full:6.2f} s ({full / reference:4.1f} x the reference)   "
            f"one more {newest * 1000:6.2f} ms   one amid {amid * 1000:7.2f} ms   "
            f"{len(ledger.trades):,} trades"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory so far {peak:,.0f} MB")


def main() -> int:
    for count in (100_000, 1_000_000):
        measure(count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
