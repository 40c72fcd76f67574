"""Every symbol that the exchange lists, refreshed from its exchangeInfo."""

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import TryAgain
from market.binance.signing import Addresses, no_credentials
from market.hot import store
from market.models import Instrument, Listing, Trouble

log = structlog.get_logger(__name__)

PATHS = {"spot": "/api/v3/exchangeInfo", "usdm": "/fapi/v1/exchangeInfo"}
STALE_AFTER = timedelta(hours=1)
# While a followed market is not traded, or its symbol is refused.
STALE_SOON = timedelta(minutes=5)
# filter -> its field, ours
SIZES = {
    "PRICE_FILTER": (("tickSize",), "tick_size"),
    "LOT_SIZE": (("stepSize",), "step_size"),
    "NOTIONAL": (("minNotional",), "min_notional"),
    "MIN_NOTIONAL": (("minNotional", "notional"), "min_notional"),
}
# What of a symbol the orders ask for beside its filters.
OPTIONS = (
    "orderTypes",
    "ocoAllowed",
    "otoAllowed",
    "opoAllowed",
    "amendAllowed",
    "cancelReplaceAllowed",
    "quoteOrderQtyMarketAllowed",
)


def refresh_if_stale(market: str) -> None:
    """Raises ExchangeError when there is no list at all and none can be had."""
    newest = Listing.objects.filter(venue=settings.VENUE, market=market).first()
    after = STALE_SOON if _waits_for_news(market) else STALE_AFTER
    if newest is None or newest.refreshed_at < timezone.now() - after:
        refresh(market)


def refresh(market: str) -> int:
    """Ask for the whole list and keep it. Returns how many symbols there are.

    Raises ExchangeError, also for a list that lacks most of what was listed before.
    """
    answer = asyncio.run(_ask(PATHS[market]))
    now = timezone.now()
    rows = [row for item in _symbols(answer) if (row := _readable(market, item, now)) is not None]
    mine = Listing.objects.filter(venue=settings.VENUE, market=market)
    known = mine.exclude(status="DELISTED").count()
    if 2 * len(rows) < known:
        log.error("list of symbols refused", market=market, symbols=len(rows), known=known)
        raise TryAgain(f"expected about {known} symbols of {market}, were {len(rows)}")
    Listing.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["venue", "market", "symbol"],
        update_fields=[
            "status",
            "tick_size",
            "step_size",
            "min_notional",
            "filters",
            "options",
            "refreshed_at",
        ],
    )
    # what is not listed any more keeps its row: fills of it stay readable
    mine.filter(refreshed_at__lt=now).update(status="DELISTED", refreshed_at=now)
    return len(rows)


def _waits_for_news(market: str) -> bool:
    """A followed market is not traded, or the exchange does not know its symbol."""
    followed = Instrument.objects.filter(venue=settings.VENUE, market=market, is_followed=True)
    halted = Listing.objects.filter(
        venue=settings.VENUE,
        market=market,
        status__in=Listing.NOT_TRADED,
        symbol__in=followed.values("symbol"),
    )
    refused = Trouble.objects.filter(instrument__in=followed, kind=Trouble.Kind.REFUSED)
    return halted.exists() or refused.exists()


def _symbols(answer: Any) -> list[dict[str, Any]]:
    """Raises TryAgain for an answer without them."""
    items = answer.get("symbols") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise TryAgain(f"expected a list of symbols, was {str(answer)[:80]}")
    return [item for item in items if isinstance(item, dict) and _is_plain(item)]


def _readable(market: str, item: dict[str, Any], now: datetime) -> Listing | None:
    """One symbol that cannot be read is left out alone."""
    try:
        return _listing(market, item, now)
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        log.warning("symbol left out", symbol=str(item.get("symbol"))[:40], error=repr(error)[:200])
        return None


async def _ask(path: str) -> Any:
    client = store.connect(settings.REDIS_URL)
    addresses = Addresses(
        settings.BINANCE_SPOT_API_URL,
        settings.BINANCE_FUTURES_API_URL,
        settings.BINANCE_SPOT_DATA_API_URL,
    )
    try:
        rest = AccountRest(addresses, no_credentials(), governors(client), patience=30)
        async with aclosing(rest):
            return await rest.read_public(path)
    finally:
        await client.aclose()


def _is_plain(item: dict[str, Any]) -> bool:
    """Spot, or a USD-M contract: the lists also hold what we do not read (COIN-M since 2026)."""
    return item.get("contractType", "PERPETUAL") != "" and bool(item.get("symbol"))


def _listing(market: str, item: dict[str, Any], now: datetime) -> Listing:
    sizes = {"tick_size": "0", "step_size": "0", "min_notional": "0"}
    for entry in item.get("filters", []):
        names, ours = SIZES.get(entry.get("filterType", ""), ((), ""))
        value = next((entry[name] for name in names if name in entry), None)
        if value is not None:
            sizes[ours] = str(value)
    return Listing(
        venue=settings.VENUE,
        market=market,
        symbol=item["symbol"],
        base_asset=item["baseAsset"],
        quote_asset=item["quoteAsset"],
        status=item.get("status", ""),
        filters=item.get("filters", []),
        options={name: item[name] for name in OPTIONS if name in item},
        refreshed_at=now,
        **{name: Decimal(text) for name, text in sizes.items()},
    )
