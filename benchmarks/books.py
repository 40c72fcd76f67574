"""One more fill in a book that is never flat: from the row that the exchange tells to the trade's
row. Reference in the same run: the same book computed from its first row.

    make bench-books            100,000 fills; FILLS=1000000 for a million
"""

import argparse
import os
import statistics
import time
from datetime import timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.db import connection  # noqa: E402

from accounts.models import ExchangeAccount  # noqa: E402
from benchmarks.accounts import START, make_account, make_user  # noqa: E402
from journal.books import rebuilding  # noqa: E402
from journal.books.bulk import insert  # noqa: E402
from journal.models import Book, Checkpoint, Fill, Realized, Trade  # noqa: E402
from journal.sync.saving import save_fills  # noqa: E402

ROUNDS = 20
LATE = 5
BATCH = 20_000


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--fills", type=int, default=100_000)
    count = words.parse_args().fills
    user = make_user()
    account = make_account(user)
    try:
        _measure(account, count)
    finally:
        user.delete()


def _measure(account: ExchangeAccount, count: int) -> None:
    print(f"{count:,} fills in one book that is never flat")
    for first in range(1, count + 1, BATCH):
        size = min(BATCH, count + 1 - first)
        insert([_fill(account, number) for number in range(first, first + size)])
    began = time.perf_counter()
    rebuilding.rebuild_due(account)
    whole = time.perf_counter() - began
    print(f"  from the first row            {whole:9.2f} s   {count / whole:,.0f} fills/s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself within a minute
    newest = [_one(account, _fill(account, count + n)) for n in range(1, ROUNDS + 1)]
    late = [_one(account, _fill(account, count - 500 * n, "late")) for n in range(1, LATE + 1)]
    for name, times in (("one more", newest), ("one amid the last thousands", late)):
        middle = statistics.median(times)
        print(f"  {name:28} {1000 * middle:9.1f} ms  {whole / middle:9,.0f} x faster")
    book = Book.objects.get(account=account, name="BTC")
    kept = Checkpoint.objects.filter(book=book)
    trade = Trade.objects.get(account=account, kind="trade", closed_at=None)
    print(
        f"  {kept.count():,} checkpoints, newest {len(kept.latest('time').state):,} bytes; "
        f"{Realized.objects.filter(trade=trade).count():,} matches of the open trade"
    )


def _one(account: ExchangeAccount, fill: Fill) -> float:
    began = time.perf_counter()
    save_fills(account, [fill])
    rebuilding.rebuild_due(account, lightly=True)
    return time.perf_counter() - began


def _fill(account: ExchangeAccount, number: int, how: str = "") -> Fill:
    """Ten bought, then sold and bought in turn, a minute apart."""
    is_buy = number <= 10 or number % 2 == 0
    price = Decimal(100 + number % 37) + Decimal(number % 11) / 10
    id = number + 10_000_000 if how else number
    return Fill(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        trade_id=id,
        order_id=id,
        base="BTC",
        quote="USDT",
        side="BUY" if is_buy else "SELL",
        price=price,
        quantity=Decimal("0.5"),
        quote_quantity=price / 2,
        fee=price / 2000,
        fee_asset="USDT",
        is_maker=False,
        flow_due_at=None,
        time=START + timedelta(minutes=number, seconds=30 if how else 0),
        source="rest",
    )


if __name__ == "__main__":
    main()
