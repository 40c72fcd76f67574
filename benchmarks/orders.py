"""From the API's request to the order on its way: p50 and p95, with keys opened and connections
warm (the first orders are not counted), against the simulator on this machine.

  make bench-orders
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(BINANCE="simulator", LOG_LEVEL="error", RATE_TRADE="1000000")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.vault import keyring  # noqa: E402
from market.binance import order_budget, signing  # noqa: E402
from tests.accounts.exchange import AccountExchange  # noqa: E402
from tests.trading.stage import trader  # noqa: E402
from trading.services.desk import desk  # noqa: E402

WARM, COUNTED = 20, 150


def main() -> int:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["*"]
    settings.KEK_DIR = Path(tempfile.mkdtemp()) / "keys"
    keyring.ensure()
    left: list[float] = []
    request: Any = signing.SigningClient._request

    async def timed(self: Any, method: str, uri: str, *args: Any, **kwargs: Any) -> Any:
        if method == "post":
            left.append(time.perf_counter())
        return await request(self, method, uri, *args, **kwargs)

    signing.SigningClient._request = timed  # type: ignore[method-assign]
    # the exchange's own limit is not what is measured
    order_budget.WINDOWS["usdm"] = ((60, "1M", 10**6),)
    with AccountExchange().running() as exchange:
        settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http
        name = f"bench{time.time():.0f}"
        user = User.objects.create_user(name, f"{name}@tapelog.invalid", "bench-secret-1")
        account = trader(user, exchange, on=True)
        browser = Client()
        browser.force_login(user)
        to_wire, whole = [], []
        for number in range(WARM + COUNTED):
            body = {
                "account": str(account.pk),
                "market": "usdm",
                "symbol": "BTCUSDT",
                "side": "BUY",
                "type": "LIMIT",
                "price": "94000",
                "quantity": "0.001",
                "time_in_force": "IOC",
            }
            began = time.perf_counter()
            answer = browser.post(
                "/api/orders",
                body,
                content_type="application/json",
                headers={"Idempotency-Key": f"{name}-{number}"},
            )
            ended = time.perf_counter()
            assert answer.status_code == 201, answer.content
            if number >= WARM:
                to_wire.append((left[-1] - began) * 1000)
                whole.append((ended - began) * 1000)
            if number % 40 == 39:  # the exchange takes 300 in ten seconds
                time.sleep(1)
        desk.close()
    for what, times in (("request to the wire", to_wire), ("request to the answer", whole)):
        p95 = statistics.quantiles(times, n=20)[-1]
        sys.stdout.write(f"{what:24} p50 {statistics.median(times):6.1f} ms  p95 {p95:6.1f} ms\n")

    return 0


if __name__ == "__main__":
    sys.exit(main())
