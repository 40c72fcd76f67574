"""The newest price of every market that somebody needs, and what an asset is worth now: one source
for positions, portfolio, snapshots and the proof, so that no two pages can disagree."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import redis
import structlog
from django.conf import settings

from journal.books.routes import Route, routes_of
from journal.models import AssetPrice, Balance, Market, OpenPosition
from lib.cash import DOLLARS, own_name
from lib.decimals import decimal
from market.hot import keys
from market.hot.client import hot_client
from market.instruments import InstrumentKey
from market.models import Instrument

log = structlog.get_logger(__name__)

Pair = tuple[str, str]
# How long the markets of an asset are remembered.
ROUTES_SECONDS = 300.0
_routes: dict[str, tuple[float, Route | None]] = {}


@dataclass(frozen=True)
class Quote:
    """`time_ms` is when the exchange said it."""

    price: Decimal
    time_ms: int


def dollars_now(assets: Collection[str]) -> dict[str, Quote]:
    """By the newest trade of the asset's market, the other way round, or crossed; else the last
    price that was ever kept. What was never priced is left out."""
    now_ms = int(time.time() * 1000)
    wanted = set(assets)
    worths = {asset: Quote(Decimal(1), now_ms) for asset in wanted & DOLLARS}
    routes = {asset: route for asset in wanted - DOLLARS if (route := _route(asset))}
    quotes = newest_prices(
        {(str(Market.SPOT), leg.symbol) for route in routes.values() for leg in route}
    )
    for asset, route in routes.items():
        legs = [(leg, quotes.get((Market.SPOT, leg.symbol))) for leg in route]
        price, oldest = Decimal(1), now_ms
        for leg, quote in legs:
            if quote is None or not quote.price:
                break
            price *= 1 / quote.price if leg.is_inverse else quote.price
            oldest = min(oldest, quote.time_ms)
        else:
            worths[asset] = Quote(price, oldest)
    return worths | _last_kept(wanted - set(worths))


def _last_kept(assets: Collection[str]) -> dict[str, Quote]:
    if not assets:
        return {}
    rows = (
        AssetPrice.objects.filter(venue=settings.VENUE, asset__in=assets, price__isnull=False)
        .order_by("asset", "-minute")
        .distinct("asset")
    )
    return {
        row.asset: Quote(row.price, int(row.minute.timestamp() * 1000))
        for row in rows
        if row.price is not None
    }


def _route(asset: str) -> Route | None:
    known = _routes.get(asset)
    if known is None or known[0] < time.monotonic():
        route = next(iter(routes_of(asset)), None)
        known = _routes[asset] = (time.monotonic() + ROUTES_SECONDS, route)
    return known[1]


def prices_key() -> str:
    """Hash: `market:symbol` -> price and epoch ms, of what no tape is kept of."""
    return f"tl:prices:{settings.VENUE}"


def newest_prices(wanted: Collection[Pair]) -> dict[Pair, Quote]:
    """Spot by the last trade of the tape where one is kept; futures by the mark price."""
    quotes: dict[Pair, Quote] = {}
    client = hot_client()
    pairs = sorted(wanted)
    if not pairs:
        return quotes
    try:
        told: Any = client.hmget(prices_key(), [f"{market}:{symbol}" for market, symbol in pairs])
        with client.pipeline(transaction=False) as pipe:
            for market, symbol in pairs:
                tape = InstrumentKey(settings.VENUE, market, symbol)
                pipe.hmget(keys.state(tape), ["price", "covered_to"])
            states = pipe.execute()
    except redis.RedisError as error:
        log.warning("redis away, no prices", error=type(error).__name__)
        return quotes
    for pair, text, (price, covered) in zip(pairs, told, states, strict=True):
        if text:
            words = text.decode().split()
            quotes[pair] = Quote(Decimal(words[0]), int(words[1]))
        if pair[0] == Market.SPOT and price and covered:
            quote = Quote(decimal(int(price)), int(covered))
            if pair not in quotes or quote.time_ms >= quotes[pair].time_ms:
                quotes[pair] = quote
    return quotes


def needed_prices() -> dict[str, set[str]]:
    """Market -> symbols of what is open or held, and of report currencies, whose price no tape
    tells."""
    rows = OpenPosition.objects.filter(account__venue=settings.VENUE).exclude(quantity=0)
    pairs = set(rows.exclude(market=Market.SPOT).values_list("market", "symbol").distinct())
    assets = set(rows.filter(market=Market.SPOT).values_list("base", flat=True).distinct())
    assets |= set(rows.values_list("quote", flat=True).distinct())
    assets |= set(rows.values_list("account__user__report_currency", flat=True).distinct())
    held = Balance.objects.filter(account__venue=settings.VENUE)
    assets |= {own_name(asset) for asset in held.values_list("asset", flat=True).distinct()}
    for asset in assets - DOLLARS:
        pairs |= {(str(Market.SPOT), leg.symbol) for leg in _route(asset) or ()}
    kept = set(
        Instrument.objects.filter(
            venue=settings.VENUE, market=Market.SPOT, is_followed=True
        ).values_list("market", "symbol")
    )
    needed: dict[str, set[str]] = {}
    for market, symbol in pairs - kept:
        needed.setdefault(market, set()).add(symbol)
    return needed


def keep_prices(market: str, prices: dict[str, str], time_ms: int) -> None:
    """What REST or a stream said; the newest only."""
    if prices:
        fields = {f"{market}:{symbol}": f"{price} {time_ms}" for symbol, price in prices.items()}
        hot_client().hset(prices_key(), mapping=fields)
