"""An account at the simulator whose key may trade, its switch on, and the addresses to it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from lib.secret import Secret
from market.services import listings
from tests.accounts.exchange import AccountExchange
from trading.services import switching
from trading.services.desk import desk

TRADES = {"enableSpotAndMarginTrading": True}


def trader(
    user: User,
    exchange: AccountExchange,
    *,
    on: bool = True,
    caps: dict[str, Any] | None = None,
    permissions: dict[str, bool] | None = None,
    **more: Any,
) -> ExchangeAccount:
    """Connected and checked, listings read, trading on for an hour unless `on` is False."""
    asked = {
        "balances": {"USDT": "1000000", "BTC": "10", "BNB": "2"},
        "futures": {"USDT": "1000000"},
        **more,
    }
    opened = exchange.open(permissions=TRADES if permissions is None else permissions, **asked)
    account = connecting.connect(
        user=user,
        label=str(opened["uid"]),
        api_key=Secret(opened["apiKey"]),
        secret=Secret(opened["secretKey"]),
    )
    apart(lambda: connecting.check(str(account.pk)))
    account.refresh_from_db()
    for market in ("spot", "usdm"):
        apart(lambda market=market: listings.refresh_if_stale(market))  # type: ignore[misc]
    if on:
        switching.switch_on(
            account=account, actor=user, until=timezone.now() + timedelta(hours=1), caps=caps or {}
        )
    return account


def apart(act: Callable[[], object]) -> None:
    """In a thread, as a worker would: an event loop of its own, and none left in this one."""

    def work() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)


def truth(account: ExchangeAccount, exchange: AccountExchange) -> dict[str, Any]:
    """client id -> the order as the exchange has it, however it got there."""
    told = exchange.ask("GET", f"/simulator/accounts/{account.binance_uid}/truth")
    rows: dict[str, Any] = {}
    for row in told["orders"]:
        assert row["client_id"] not in rows, f"{row['client_id']} is there twice"
        rows[row["client_id"]] = row
    return rows


def point_to(settings: Any, exchange: AccountExchange) -> None:
    settings.BINANCE_SPOT_API_URL = settings.BINANCE_FUTURES_API_URL = exchange.http


def close_desk() -> None:
    desk.close()
