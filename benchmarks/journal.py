"""The journal at 100,000 fills: server time of home and of the trades page, and what a rebuild
costs. Reference in the same run: PostgreSQL counting the same fills.

    make bench-journal
"""

import argparse
import os
import resource
import time
from datetime import timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import ExchangeAccount, User  # noqa: E402
from benchmarks.accounts import START, SYMBOLS, make_account, make_user, timed  # noqa: E402
from journal.books import rebuilding  # noqa: E402
from journal.models import Book, Fill, Trade  # noqa: E402
from journal.sync.saving import save_fills  # noqa: E402

ROUNDS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=100_000)
    count = parser.parse_args().fills
    setup_test_environment()
    user = make_user()
    try:
        _measure(user, count)
    finally:
        user.delete()


def _measure(user: User, count: int) -> None:
    account = make_account(user)
    print(f"{count:,} fills of {len(SYMBOLS)} symbols")
    fills = _fills(account, count)
    for start in range(0, count, 5000):
        save_fills(account, fills[start : start + 5000])
    began = time.perf_counter()
    rebuilding.rebuild_due(account)
    took = time.perf_counter() - began
    trades = Trade.objects.filter(account=account).count()
    print(f"  whole rebuild        {took:8.1f} s   {trades:,} trades, {count / took:,.0f} fills/s")
    one = _fills(account, 1, first=count + 1)
    began = time.perf_counter()
    save_fills(account, one)
    rebuilding.rebuild_due(account)
    print(f"  one more fill        {1000 * (time.perf_counter() - began):8.0f} ms")
    reference = timed(lambda: Fill.objects.filter(account=account).count(), ROUNDS)
    print(f"  reference: count(*)  {reference:8.1f} ms")
    browser = Client()
    browser.force_login(user)
    for name, address in (
        ("home", "/"),
        ("trades page", "/trades/"),
        ("trades filtered", "/trades/?symbol=BTCUSDT"),
        ("calendar", "/calendar/"),
        ("report", "/reports/?by=hour"),
        ("api dashboard", "/api/dashboard"),
    ):
        ms = timed(lambda address=address: browser.get(address).content, ROUNDS)  # type: ignore[misc]
        print(f"  {name:20} {ms:8.0f} ms   {ms / reference:6.1f} x count(*)")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most {memory:.0f} MB")
    Book.objects.filter(account=account).delete()


def _fills(account: ExchangeAccount, count: int, first: int = 1) -> list[Fill]:
    """Round trips of a few fills each, over two years."""
    rows = []
    for number in range(first, first + count):
        base = SYMBOLS[number // 8 % len(SYMBOLS)]
        side = "BUY" if number % 8 < 4 else "SELL"
        price = Decimal(100 + number % 37) + Decimal(number % 11) / 10
        rows.append(
            Fill(
                account=account,
                market="spot",
                symbol=f"{base}USDT",
                trade_id=number,
                order_id=number,
                base=base,
                quote="USDT",
                side=side,
                price=price,
                quantity=Decimal("0.5"),
                quote_quantity=price / 2,
                fee=price / 2000,
                fee_asset="USDT",
                is_maker=number % 3 == 0,
                time=START + timedelta(minutes=number * 10),
                source="rest",
            )
        )
    return rows


if __name__ == "__main__":
    main()
