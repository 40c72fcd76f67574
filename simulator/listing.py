"""What is listed: a symbol's rules in one market, and plausible rules for names nobody knows."""

import random
from dataclasses import dataclass

from simulator.amounts import places_text, to_units

SPOT, USDM = "spot", "usdm"


@dataclass(frozen=True)
class Listing:
    """`price` (where a generated market starts), `tick` and `step` in units of 1e-8."""

    market: str
    symbol: str
    base: str
    quote: str
    price: int
    tick: int
    step: int
    orders_per_second: float
    price_places: int = 8
    quantity_places: int = 8

    def price_text(self, price: int) -> str:
        return places_text(price, self.price_places)

    def quantity_text(self, quantity: int) -> str:
        return places_text(quantity, self.quantity_places)


KNOWN = {
    (SPOT, "BTCUSDT"): ("BTC", "USDT", "95000", "0.01", "0.00001", 9.0),
    (SPOT, "ETHUSDT"): ("ETH", "USDT", "3300", "0.01", "0.0001", 7.0),
    (SPOT, "SOLUSDT"): ("SOL", "USDT", "210", "0.01", "0.001", 5.0),
    (SPOT, "BNBUSDT"): ("BNB", "USDT", "880", "0.01", "0.001", 4.0),
    (SPOT, "ETHBTC"): ("ETH", "BTC", "0.0347", "0.00001", "0.0001", 2.0),
    (USDM, "BTCUSDT"): ("BTC", "USDT", "95020", "0.10", "0.001", 9.0),
    (USDM, "ETHUSDT"): ("ETH", "USDT", "3301", "0.01", "0.001", 7.0),
    (USDM, "SOLUSDT"): ("SOL", "USDT", "210.1", "0.0100", "0.01", 5.0),
}
QUOTES = ("FDUSD", "USDT", "USDC", "BTC", "ETH", "BNB", "EUR", "TRY")


def listing(symbol: str, market: str = SPOT) -> Listing:
    """Known symbols have their own rules; any other gets plausible ones from its name."""
    if (market, symbol) in KNOWN:
        base, quote, price, tick, step, rate = KNOWN[market, symbol]
    else:
        quote = next((q for q in QUOTES if symbol.endswith(q) and symbol != q), "USDT")
        base = symbol.removesuffix(quote) or symbol
        rng = random.Random(symbol)
        price = f"{10 ** rng.uniform(-1, 2):.4f}"
        tick, step, rate = "0.0001", "0.1", 3.0
    rules = Listing(
        market, symbol, base, quote, to_units(price), to_units(tick), to_units(step), rate
    )
    return rules if market == SPOT else _with_places(rules, _places(tick), _places(step))


def listing_like(symbol: str, market: str, prices: list[str], quantities: list[str]) -> Listing:
    """Rules that fit recorded amounts: the finest tick and step that they show. Futures print
    as many places as the recording, spot always eight."""
    rules = listing(symbol, market)
    finest = Listing(
        market,
        symbol,
        rules.base,
        rules.quote,
        to_units(prices[0]),
        _finest(prices),
        _finest(quantities),
        rules.orders_per_second,
    )
    if market == SPOT:
        return finest
    return _with_places(finest, max(map(_places, prices)), max(map(_places, quantities)))


def _with_places(rules: Listing, price: int, quantity: int) -> Listing:
    return Listing(
        rules.market,
        rules.symbol,
        rules.base,
        rules.quote,
        rules.price,
        rules.tick,
        rules.step,
        rules.orders_per_second,
        price,
        quantity,
    )


def _finest(amounts: list[str]) -> int:
    places = max(_places(text.rstrip("0")) for text in amounts)
    return int(10 ** (8 - places))


def _places(text: str) -> int:
    return len(text.partition(".")[2])
