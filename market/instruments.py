"""The name of a tape in every key, row and answer."""

from dataclasses import dataclass
from typing import NamedTuple

from market.flow.detail import Detail

# Longest first, so that FDUSD is not taken for USD.
QUOTE_ASSETS = (
    "FDUSD",
    "USDT",
    "USDC",
    "TUSD",
    "BUSD",
    "USD1",
    "DAI",
    "BTC",
    "ETH",
    "BNB",
    "EUR",
    "TRY",
    "BRL",
    "JPY",
    "PLN",
    "ARS",
    "MXN",
    "ZAR",
    "IDR",
    "UAH",
    "RON",
    "CZK",
    "USD",
)


class InstrumentKey(NamedTuple):
    """(venue, market, symbol), e.g. ("binance", "spot", "BTCUSDT")."""

    venue: str
    market: str
    symbol: str

    @property
    def is_aggregated(self) -> bool:
        """Its tape is made of aggregates (USD-M: 100 ms, price and side), whose ids it counts; the
        single trades inside are not known."""
        return self.market == "usdm"

    @property
    def detail(self) -> Detail:
        """How much its tape knows of a bar."""
        return Detail.ORDER if self.is_aggregated else Detail.FULL

    def __str__(self) -> str:
        return f"{self.venue}:{self.market}:{self.symbol}"


@dataclass(frozen=True)
class Followed:
    """What the collector needs to know of an instrument."""

    id: int
    key: InstrumentKey
    band_set: str
    # reach back to this exchange time (epoch ms); 0: begin where it begins
    since_ms: int = 0
    # when it was begun to be followed, after it was not (epoch ms)
    followed_ms: int = 0


def split_symbol(symbol: str) -> tuple[str, str]:
    """(base, quote) of a spot symbol by its ending, for when exchangeInfo cannot be asked."""
    for quote in QUOTE_ASSETS:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    return symbol, "USDT"
