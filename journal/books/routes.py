"""Through which markets a coin has a price in dollars: its own, the other way round, or crossed
through a third coin. What is delisted counts: it was the market of its time."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from journal.models import Market
from market.models import Listing

# Dollar coins, by how much is traded against them.
QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD")
# Coins that nearly everything was once traded against.
BRIDGES = ("BTC", "ETH", "BNB")


@dataclass(frozen=True)
class Leg:
    """One market: its close, or (the coin is its quote) one divided by it."""

    symbol: str
    is_inverse: bool


# A coin's price is the product of its legs.
Route = tuple[Leg, ...]


def routes_of(asset: str) -> list[Route]:
    """Best first; empty where no market leads to dollars."""
    direct = _legs(asset, QUOTES)
    routes: list[Route] = [(leg,) for leg in direct]
    bridges = [bridge for bridge in BRIDGES if bridge != asset]
    for first, bridge in _bridged(asset, bridges):
        routes += [(first, second) for second in _legs(bridge, QUOTES)[:1]]
    return routes


def _legs(asset: str, others: tuple[str, ...]) -> list[Leg]:
    """Markets between the coin and the others, in their order; its own side before the other."""
    rows = _between(asset, others)
    own = [
        (others.index(row.quote_asset), Leg(row.symbol, False))
        for row in rows
        if row.base_asset == asset
    ]
    turned = [
        (others.index(row.base_asset), Leg(row.symbol, True))
        for row in rows
        if row.quote_asset == asset
    ]
    return [leg for side in (own, turned) for _, leg in sorted(side, key=lambda item: item[0])]


def _bridged(asset: str, bridges: list[str]) -> list[tuple[Leg, str]]:
    return [(leg, bridge) for bridge in bridges for leg in _legs(asset, (bridge,))]


def _between(asset: str, others: tuple[str, ...]) -> list[Listing]:
    pairs = Q(base_asset=asset, quote_asset__in=others) | Q(
        quote_asset=asset, base_asset__in=others
    )
    return list(Listing.objects.filter(pairs, venue=settings.VENUE, market=Market.SPOT))
