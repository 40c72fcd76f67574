"""The insight at 100,000 trades: what a worker needs for each part, and what every page and answer
costs then. Reference in the same run: PostgreSQL counting the same trades.

    make bench-insight-pages
"""

import argparse
import os
import resource
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.accounts import SYMBOLS, make_account, make_trades, make_user, timed  # noqa: E402
from journal.filters import TradeFilter  # noqa: E402
from journal.insight import keeping  # noqa: E402
from journal.insight.parts import PARTS  # noqa: E402
from journal.models import Book, Trade  # noqa: E402
from journal.selectors.preferences import preferences_of  # noqa: E402

ROUNDS = 9
AIM_MS = 300


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--trades", type=int, default=100_000)
    count = words.parse_args().trades
    setup_test_environment()
    user = make_user()
    try:
        return 0 if _measure(user, count) else 1
    finally:
        user.delete()


def _measure(user: User, count: int) -> bool:
    account = make_account(user)
    Book.objects.create(account=account, market="spot", name="BTC", built=1)
    make_trades(account, count)
    print(f"{count:,} trades of {len(SYMBOLS)} symbols")
    for name in PARTS:
        kept = keeping.ask(user, name, TradeFilter(), preferences_of(user))
        began = time.perf_counter()
        keeping.compute(kept.part.pk)
        print(f"  worker: {name:22} {time.perf_counter() - began:8.1f} s", flush=True)
    reference = timed(lambda: Trade.objects.filter(account=account).count(), ROUNDS)
    print(f"  reference: count(*)            {reference:8.1f} ms")
    browser = Client()
    browser.force_login(user)
    slowest = 0.0
    for address in (
        "/insight/",
        *(f"/insight/{name}/" for name in PARTS if name != "findings"),
        "/insight/scatter/",
        "/insight/trades/?by=symbol&group=BTCUSDT",
        "/insight/trades/?by=all",
        "/api/insight",
        "/api/insight/twin",
        "/api/insight?by=all",
    ):
        ms = timed(lambda address=address: browser.get(address).content, ROUNDS)  # type: ignore[misc]
        slowest = max(slowest, ms)
        print(f"  {address:40} {ms:8.0f} ms", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most {memory:.0f} MB; slowest {slowest:.0f} ms")
    return slowest < AIM_MS


if __name__ == "__main__":
    raise SystemExit(main())
