"""Reports at 100,000 trades: server time of their pages and of the answers of the API. References
in the same run: PostgreSQL counting the same trades, and loading them into Python.

    make bench-reports
"""

import argparse
import os
import resource
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.accounts import make_account, make_trades, make_user, timed  # noqa: E402
from journal.filters import TradeFilter  # noqa: E402
from journal.models import Book, Setup, Trade  # noqa: E402
from journal.selectors import report_rows  # noqa: E402
from journal.selectors.preferences import preferences_of  # noqa: E402

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
    Trade.objects.filter(account=account, symbol="BTCUSDT").update(flow_share="0.4")
    Setup.objects.create(
        user=user, name="with force", conditions={"direction": "LONG", "least_share": "0.3"}
    )
    reference = timed(lambda: Trade.objects.filter(account=account).count(), rounds)
    print(f"{count:,} trades; reference: count(*) {reference:.1f} ms")
    chosen = preferences_of(user)
    trades = TradeFilter().apply(user, chosen)
    browser = Client()
    browser.force_login(user)
    works: dict[str, Callable[[], object]] = {
        address: lambda address=address: browser.get(address).content  # type: ignore[misc]
        for address in ADDRESSES
    }
    works["the same trades as rows in Python"] = lambda: report_rows.load(user, trades, chosen)
    for name, work in works.items():
        ms = timed(work, rounds)
        print(f"  {name:36} {ms:8.0f} ms {ms / reference:8.1f} x count(*)", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  memory of this process at most {memory:.0f} MB; aim {AIM_MS} ms")


if __name__ == "__main__":
    main()
