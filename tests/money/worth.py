"""What is cash, and what a coin was worth at a moment (money.md §1.2, §1.3, §8)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

DOLLARS = frozenset(
    {
        "USD",
        "USDT",
        "USDC",
        "FDUSD",
        "TUSD",
        "BUSD",
        "DAI",
        "USDP",
        "USDE",
        "USD1",
        "BNFCR",
        "BFUSD",
    }
)
CURRENCIES = frozenset(
    {
        "EUR",
        "TRY",
        "KRW",
        "GBP",
        "BRL",
        "JPY",
        "AUD",
        "MXN",
        "ZAR",
        "ARS",
        "COP",
        "UAH",
        "PLN",
        "CZK",
        "RON",
        "IDR",
    }
)
CASH = DOLLARS | CURRENCIES
QUOTES = sorted(CASH | {"BTC", "ETH", "BNB"}, key=len, reverse=True)
FRESH = timedelta(hours=1)


def split_symbol(symbol: str) -> tuple[str, str]:
    """`BTCFDUSD` is ("BTC", "FDUSD"), `BTCUSDT_260626` is ("BTC", "USDT")."""
    pair = symbol.partition("_")[0]
    for quote in QUOTES:
        if pair.endswith(quote) and pair != quote:
            return pair.removesuffix(quote), quote
    raise ValueError(f"expected a pair with a known quote, was {symbol}")


def own_name(coin: str) -> str:
    """Earn's `LDBTC` is BTC (§1.1); LDO is a coin."""
    return coin[2:] if coin.startswith("LD") and len(coin) > 4 else coin


class Prices:
    """Dollars a coin: constant ones, moving ones, and those of the account's own fills."""

    def __init__(
        self,
        constant: dict[str, Fraction],
        moving: dict[str, list[tuple[datetime, Fraction]]],
        complain: Callable[[str, str], None],
    ) -> None:
        self.constant = constant
        self.moving = moving
        self.own: dict[str, tuple[datetime, Fraction]] = {}
        self.complain = complain

    def learn(self, coin: str, now: datetime, price: Fraction) -> None:
        """A fill tells a price (§1.3: "the account's own fills included")."""
        self.own[coin] = (now, price)

    def of(self, coin: str, now: datetime) -> Fraction | None:
        """§1.3: of the minute, else the last known before it, else none."""
        if coin in self.constant or coin in DOLLARS:
            return self.quietly(coin, now)
        at, price = self._last(coin, now)
        if at and now - at > FRESH:
            self.complain("missing_price", coin)
        return price if at else None

    def quietly(self, coin: str, now: datetime) -> Fraction | None:
        """The same without a Problem."""
        if coin in DOLLARS:
            return Fraction(1)
        if coin in self.constant:
            return self.constant[coin]
        at, price = self._last(coin, now)
        return price if at else None

    def _last(self, coin: str, now: datetime) -> tuple[datetime | None, Fraction]:
        minute = now.replace(second=0, microsecond=0)
        known = [point for point in self.moving.get(coin, []) if point[0] <= now]
        market = max(known, key=lambda point: point[0], default=None)
        own = self.own.get(coin)
        if market and (own is None or market[0] >= min(own[0], minute)):
            return market
        return own or (None, Fraction(0))
