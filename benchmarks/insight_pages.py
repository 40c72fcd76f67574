"""The insight at 100,000 trades: what a worker needs for each part, and what every page and answer
costs then. Reference in the same run: PostgreSQL counting the same trades.

    make bench-insight-pages
"""

import argparse
import os
import resource
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import ExchangeAccount, User  # noqa: E402
from journal.filters import TradeFilter  # noqa: E402
from journal.insight import keeping  # noqa: E402
from journal.insight.parts import PARTS  # noqa: E402
from journal.models import Book, Trade  # noqa: E402
from journal.selectors.preferences import preferences_of  # noqa: E402

ROUNDS = 9
AIM_MS = 300
START = datetime(2024, 1, 1, tzinfo=UTC)
SYMBOLS = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOT", "LTC", "LINK", "AVAX")


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--trades", type=int, default=100_000)
    count = words.parse_args().trades
    setup_test_environment()
    user = User.objects.create_user(f"bench-{uuid.uuid4().hex[:8]}", f"{uuid.uuid4()}@x.invalid")
    try:
        return 0 if _measure(user, count) else 1
    finally:
        user.delete()


def _measure(user: User, count: int) -> bool:
    account = ExchangeAccount.objects.create(
        id=uuid.uuid4(),
        user=user,
        venue="simulator",
        label="bench",
        key_kind="hmac",
        api_key=b"x",
        api_secret=b"x",
        kek_id=1,
        api_key_hash=uuid.uuid4().hex,
        last_four="0000",
    )
    Book.objects.create(account=account, market="spot", name="BTC", built=1)
    for start in range(0, count, 5000):
        Trade.objects.bulk_create(_trade(account, start + n) for n in range(min(5000, count)))
    print(f"{count:,} trades of {len(SYMBOLS)} symbols")
    for name in PARTS:
        kept = keeping.ask(user, name, TradeFilter(), preferences_of(user))
        began = time.perf_counter()
        keeping.compute(kept.part.pk)
        print(f"  worker: {name:22} {time.perf_counter() - began:8.1f} s", flush=True)
    reference = _timed(lambda: Trade.objects.filter(account=account).count())
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
        ms = _timed(lambda address=address: browser.get(address).content)  # type: ignore[misc]
        slowest = max(slowest, ms)
        print(f"  {address:40} {ms:8.0f} ms", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most {memory:.0f} MB; slowest {slowest:.0f} ms")
    return slowest < AIM_MS


def _trade(account: ExchangeAccount, number: int) -> Trade:
    base = SYMBOLS[number % len(SYMBOLS)]
    opened = START + timedelta(minutes=9 * number)
    net = Decimal(number * 7919 % 2003 - 1000) / 10
    return Trade(
        account=account,
        key=f"bench-{number}",
        market="spot",
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        position_side="BOTH",
        direction="LONG" if number % 3 else "SHORT",
        opened_at=opened,
        closed_at=opened + timedelta(minutes=number % 240 + 1),
        quantity=Decimal(1),
        entry_price=Decimal(1000),
        exit_price=Decimal(1000) + net,
        gross=net,
        fees=Decimal(1),
        funding=Decimal(0),
        net=net - 1,
        rate=Decimal(1),
        gross_money=net,
        fees_money=Decimal(1),
        funding_money=Decimal(0),
        net_money=net - 1,
        size_money=Decimal(1000 + number % 977),
        fill_count=2,
        maker_share=Decimal(number % 2),
        flow=("with", "mixed", "against")[number % 3],
        placed_stop=Decimal(900),
        worst=-abs(net),
        best=abs(net),
    )


def _timed(work: Callable[[], object]) -> float:
    """Median of several rounds, in ms; the first one does not count."""
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


if __name__ == "__main__":
    raise SystemExit(main())
