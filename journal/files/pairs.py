"""Which two coins a symbol is of: by the row's own cells, the exchange's list, or its ending."""

import re
from collections.abc import Mapping
from decimal import Decimal
from sys import intern

from journal.checking import agrees
from journal.faults import Bad
from journal.files import cells
from lib.cash import CASH, DOLLARS

# (market, symbol) -> (base, quote), as the exchange lists them
Pairs = Mapping[tuple[str, str], tuple[str, str]]
# What coins are priced in besides cash; the longest ending counts, so that FDUSD is not USD.
QUOTES = sorted(
    CASH | {"BTC", "ETH", "BNB", "XRP", "TRX", "DOGE", "DOT", "SOL", "VAI", "UST"},
    key=lambda coin: (-len(coin), coin),
)
# What parts two coins, where the last of them is one that others are priced in.
PARTED = re.compile(rf"(?<=\w)[-_](?=(?:{'|'.join(QUOTES)})$)")
# Of two coins that trade for each other, the one further to the front is the price's.
ORDER = ("USD", "BTC", "ETH", "BNB", "TRX", "XRP", "DOGE", "SOL", "DOT")


def symbol_of(text: str) -> str:
    """`btc/usdt`, `BTC-USDT` and `BTC_USDT` -> BTCUSDT; a contract keeps its date (BTCUSDT_210625)
    and a coin-margined one its word (BTCUSD_PERP)."""
    symbol = intern(PARTED.sub("", text.strip().upper()).replace("/", "").replace(" ", ""))
    if not symbol or "\0" in symbol:
        raise Bad("pair", was=text)
    return symbol


def by_ending(symbol: str) -> tuple[str, str] | None:
    name = symbol.partition("_")[0]
    for quote in QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return name[: -len(quote)], quote
    return None


def coins_of(market: str, symbol: str, pairs: Pairs) -> tuple[str, str]:
    """Raises Bad."""
    coins = pairs.get((market, symbol)) or by_ending(symbol)
    if coins is None:
        raise Bad("pair", was=symbol)
    return coins


def coins_told(
    symbol: str, executed: str, amount: str, price: Decimal, known: tuple[str, str] | None
) -> tuple[str, str, Decimal, Decimal] | None:
    """(base, quote, quantity, value) where the cells name both coins and fit the symbol; of several
    readings the one that agrees with the price. Raises Bad for a comma that parts no thousands."""
    if known is not None:
        size, worth = cells.in_coin(executed, known[0]), cells.in_coin(amount, known[1])
        if size is not None and worth is not None and agrees(price, size, worth):
            return *known, size, worth
    readings = []
    for quantity, base in cells.splits(executed):
        if not symbol.startswith(base) or len(base) >= len(symbol):
            continue
        quote = symbol[len(base) :]
        value = cells.in_coin(amount, quote)
        if value is not None:
            try:
                readings.append((base, quote, cells.number(quantity), value))
            except Bad as error:
                if error.fault.code == "comma":
                    raise
    good = [told for told in readings if agrees(price, told[2], told[3])]
    return next(iter(good or readings), None)


def pair_of(one: str, other: str, market: str, pairs: Pairs) -> tuple[str, str]:
    """(base, quote) of two coins that were exchanged: as listed, else the one is the quote that
    prices others."""
    for base, quote in ((one, other), (other, one)):
        if pairs.get((market, base + quote)) == (base, quote):
            return base, quote
    return (one, other) if _rank(other) <= _rank(one) else (other, one)


def _rank(coin: str) -> int:
    if coin in DOLLARS:
        return 1
    if coin in CASH:
        return 0  # EUR and TRY price dollars on Binance
    return 2 + ORDER.index(coin) if coin in ORDER else 100
