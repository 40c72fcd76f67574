"""Every symbol that the exchange lists, refreshed from its exchangeInfo."""

import asyncio
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from market.binance.account import AccountRest, Addresses, no_credentials
from market.binance.governor import Governor, Limit
from market.hot import store
from market.models import Listing

PATHS = {"spot": "/api/v3/exchangeInfo", "usdm": "/fapi/v1/exchangeInfo"}
WEIGHTS_A_MINUTE = {"api": 6000, "sapi": 12_000, "fapi": 2400}
STALE_AFTER = timedelta(hours=1)
# filter -> its field, ours
SIZES = {
    "PRICE_FILTER": (("tickSize",), "tick_size"),
    "LOT_SIZE": (("stepSize",), "step_size"),
    "NOTIONAL": (("minNotional",), "min_notional"),
    "MIN_NOTIONAL": (("minNotional", "notional"), "min_notional"),
}


def governors(client: Any) -> dict[str, Governor]:
    """The budgets of this address, by the first part of a path."""
    hosts = {
        "api": settings.BINANCE_SPOT_API_URL,
        "sapi": f"{settings.BINANCE_SPOT_API_URL}/sapi",
        "fapi": settings.BINANCE_FUTURES_API_URL + "/fapi",
    }
    return {
        part: Governor(client, Limit(host, WEIGHTS_A_MINUTE[part]), settings.WEIGHT_BUDGET_PCT)
        for part, host in hosts.items()
    }


def refresh_if_stale(market: str) -> None:
    """Raises ExchangeError when there is no list at all and none can be had."""
    newest = Listing.objects.filter(venue=settings.VENUE, market=market).first()
    if newest is None or newest.refreshed_at < timezone.now() - STALE_AFTER:
        refresh(market)


def refresh(market: str) -> int:
    """Ask for the whole list and keep it. Returns how many symbols there are."""
    said = asyncio.run(_ask(PATHS[market]))
    now = timezone.now()
    rows = [_listing(market, item, now) for item in said["symbols"] if _is_plain(item)]
    Listing.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["venue", "market", "symbol"],
        update_fields=[
            "status", "tick_size", "step_size", "min_notional", "filters", "refreshed_at",
        ],
    )  # fmt: skip
    # what is not listed any more keeps its row: fills of it stay readable
    gone = Listing.objects.filter(venue=settings.VENUE, market=market, refreshed_at__lt=now)
    gone.update(status="DELISTED", refreshed_at=now)
    return len(rows)


async def _ask(path: str) -> Any:
    client = store.connect(settings.REDIS_URL)
    addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
    try:
        rest = AccountRest(addresses, no_credentials(), governors(client), patience=30)
        async with aclosing(rest):
            return await rest.read_public(path)
    finally:
        await client.aclose()


def _is_plain(item: dict[str, Any]) -> bool:
    """Spot, or a USD-M contract: the lists also hold what we do not read (COIN-M since 2026)."""
    return item.get("contractType", "PERPETUAL") != "" and bool(item.get("symbol"))


def _listing(market: str, item: dict[str, Any], now: Any) -> Listing:
    sizes = {"tick_size": "0", "step_size": "0", "min_notional": "0"}
    for entry in item.get("filters", []):
        names, ours = SIZES.get(entry.get("filterType", ""), ((), ""))
        found = next((entry[name] for name in names if name in entry), None)
        if found is not None:
            sizes[ours] = str(found)
    return Listing(
        venue=settings.VENUE, market=market, symbol=item["symbol"], base_asset=item["baseAsset"],
        quote_asset=item["quoteAsset"], status=item.get("status", ""),
        filters=item.get("filters", []), refreshed_at=now,
        **{name: Decimal(text) for name, text in sizes.items()},
    )  # fmt: skip
