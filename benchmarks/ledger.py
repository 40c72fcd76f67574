"""The ledger on 100k and 1M fills over 50 symbols: perpetuals, and coins with fees in BNB around a
stack of each.

  make bench-ledger

Reference in the same run: sorting the fills and multiplying price by quantity once each, the least
that any ledger must do.
"""

import random
import resource
import sys
import time
from decimal import Decimal

from journal.ledger import Fill, Wishes, compute

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
                str(number),
                number,
                symbol,
                symbol[:-4],
                "USDT",
                side,
                Decimal(rng.randint(9_000, 11_000)) / 100,
                Decimal(size) / 10,
                Decimal("0.01"),
                "USDT",
                market="usdm",
            )
        )
    rng.shuffle(fills)
    return fills


def coins(count: int) -> list[Fill]:
    """Spot fills around a stack of each coin, every fee in BNB, which is bought now and then;
    shuffled. A hundredth of the sales is larger than the open trade."""
    rng = random.Random(2)
    fills = []
    held = dict.fromkeys(SYMBOLS, 0)
    for number in range(count):
        symbol, size = rng.choice(SYMBOLS), rng.randint(1, 9)
        side, price = "BUY", Decimal(rng.randint(9_000, 11_000)) / 100
        if number < len(SYMBOLS):
            symbol, size = SYMBOLS[number], 1_000_000  # the stack: set aside at once
        elif number % 500 == 0:
            symbol, size, price = "BNBUSDT", 100, Decimal(600)
        elif held[symbol] and rng.random() < 0.5:
            side, size = "SELL", held[symbol] + (rng.random() < 0.01)
        if number >= len(SYMBOLS) and symbol in held:
            held[symbol] = 0 if side == "SELL" else held[symbol] + size
        fills.append(
            Fill(
                str(number),
                number,
                symbol,
                symbol[:-4],
                "USDT",
                side,
                price,
                Decimal(size) / 10,
                Decimal("0.00001"),
                "BNB",
                order_id=number,
            )
        )
    rng.shuffle(fills)
    return fills


# A stack is what was set aside: each coin's first purchase.
ASIDE = Wishes(set_aside=frozenset((symbol, str(n)) for n, symbol in enumerate(SYMBOLS)))


def least(fills: list[Fill]) -> float:
    started = time.perf_counter()
    total = Decimal(0)
    for fill in sorted(fills, key=lambda fill: (fill.symbol, fill.time, int(fill.id))):
        total += fill.price * fill.quantity
    return time.perf_counter() - started


def measure(count: int, market: str) -> None:
    fills = history(count) if market == "usdm" else coins(count)
    reference = least(fills)
    print(
        f"\n{market}, {count:,} fills, {len(SYMBOLS)} symbols; sort and multiply alone: "
        f"{reference:.2f} s"
    )
    for method in ("fifo", "lifo", "hifo", "average"):
        started = time.perf_counter()
        ledger = compute(fills, method=method, wishes=ASIDE)
        full = time.perf_counter() - started
        last = Fill(
            "x", count + 1, SYMBOLS[0], "S0", "USDT", "BUY", Decimal(100), Decimal(1), market=market
        )
        started = time.perf_counter()
        ledger.extend([last])
        newest = time.perf_counter() - started
        middle = Fill(
            "y",
            count // 2,
            SYMBOLS[1],
            "S1",
            "USDT",
            "BUY",
            Decimal(100),
            Decimal(1),
            market=market,
        )
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
    for market in ("usdm", "spot"):
        for count in (100_000, 1_000_000):
            measure(count, market)
    return 0


if __name__ == "__main__":
    sys.exit(main())
