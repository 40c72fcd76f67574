"""Which two coins a symbol is made of, listed or not any more."""

from collections.abc import Collection, Mapping

from market.models import Listing

# (base, quote)
Coins = tuple[str, str]


def coins_of(symbol: str, listings: Mapping[str, Listing], quotes: Collection[str]) -> Coins | None:
    """By its listing, which stays when the symbol is delisted; else by the longest known quote that
    it ends with. None where nothing tells: never a guess. A contract's name may end with the day of
    its delivery (BTCUSDT_260327)."""
    listing = listings.get(symbol)
    if listing is not None:
        return listing.base_asset, listing.quote_asset
    pair = symbol.partition("_")[0]
    for quote in sorted(quotes, key=len, reverse=True):
        if quote and pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    return None


def quotes_of(listings: Mapping[str, Mapping[str, Listing]]) -> set[str]:
    """Every asset that the exchange's lists know as a quote, of all markets."""
    return {row.quote_asset for rows in listings.values() for row in rows.values()}
