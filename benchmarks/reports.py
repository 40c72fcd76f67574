"""Reports at 100,000 trades: server time of their pages and of the answers of the API. Reference in
the same run: PostgreSQL counting the same trades.

    make bench-reports
"""

import argparse
import os
import resource

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.accounts import make_account, make_trades, make_user, timed  # noqa: E402
from journal.models import Book, Setup, Trade  # noqa: E402

AIM_MS = 200
ADDRESSES = (
    "/reports/?by=symbol",
    "/reports/?by=hour",
    "/reports/?by=hold",
    "/reports/?by=streak",
    "/reports/?by=tag",
    "/reports/?by=hour&across=weekday",
    "/reports/compare/?direction=LONG",
    "/reports/setups/",
    "/reports/execution/",
    "/reports/distribution/",
    "/reports/trend/",
    "/api/reports?by=hour",
    "/api/reports?by=month",
    "/api/trades/summary",
    "/api/dashboard",
    "/api/calendar",
    "/",
    "/trades/",
    "/calendar/",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    words = parser.parse_args()
    setup_test_environment()
    user = make_user()
    try:
        _measure(user, words.trades, words.rounds)
    finally:
        user.delete()


def _measure(user: User, count: int, rounds: int) -> None:
    account = make_account(user)
    Book.objects.create(account=account, market="spot", name="BTC", built=1)
    make_trades(account, count)
    Trade.objects.filter(account=account, pk__contains="7").update(flow_share="0.4")
    Setup.objects.create(
        user=user, name="with force", conditions={"direction": "LONG", "least_share": "0.3"}
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE journal_trade")
    reference = timed(lambda: Trade.objects.filter(account=account).count(), rounds)
    print(f"{count:,} trades; reference: count(*) {reference:.1f} ms")
    browser = Client()
    browser.force_login(user)
    for address in ADDRESSES:
        ms = timed(lambda address=address: browser.get(address).content, rounds)  # type: ignore[misc]
        print(f"  {address:36} {ms:8.0f} ms {ms / reference:8.1f} x count(*)", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most {memory:.0f} MB; aim {AIM_MS} ms")


if __name__ == "__main__":
    main()
