"""What an asset is worth in dollars at a moment (money.md 1.3).

Asked in this order: cash counts 1; the price of that minute; the last price known before it, be it
a candle's or one of the account's own fills, whichever is newer. Never a price of later.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from journal.ledger.records import ONE, Fill, exact
from lib.cash import CURRENCIES, DOLLARS

# A price, alone or with the time it is of: without one it is of the asked minute.
Told = Decimal | tuple[Decimal, Any] | None
Prices = Callable[[str, Any], Told]
# An older price is told as a problem.
FRESH = timedelta(hours=1)


class Price(NamedTuple):
    """Dollars of one, and the time it is of; None for that of the asked moment itself."""

    dollars: Decimal
    at: Any


class Worth:
    """`units` count as 1: the dollars, and without any prices the one quote that there is."""

    def __init__(self, prices: Prices | None = None, units: Iterable[str] = ()) -> None:
        self._prices = prices
        self._units = DOLLARS | frozenset(units)
        self._times: dict[str, list[Any]] = {}
        self._seen: dict[str, list[Decimal]] = {}

    def is_unit(self, asset: str) -> bool:
        return asset in self._units

    def is_cash(self, asset: str) -> bool:
        """No lots are kept of it."""
        return asset in self._units or asset in CURRENCIES

    def price(self, asset: str, time: Any) -> Price | None:
        """None where no price was ever known before. Raises ValueError for a price that is none."""
        if asset in self._units:
            return Price(ONE, None)
        told = self._ask(asset, time)
        own = self._own(asset, time)
        if told is None or (told.at is not None and own is not None and own.at > told.at):
            return own
        return told

    def dollars(self, asset: str, quantity: Decimal, time: Any) -> Decimal | None:
        price = self.price(asset, time)
        return None if price is None else price.dollars * quantity

    def learn(self, fill: Fill) -> None:
        """A spot fill against cash tells what its coin was worth."""
        value = fill.quote_value
        if self.is_unit(fill.quote):
            self.remember(fill.base, value / fill.quantity, fill.time)
        elif self.is_unit(fill.base):
            if value:
                self.remember(fill.quote, fill.quantity / value, fill.time)
        else:
            rate = self.price(fill.quote, fill.time)
            if rate is not None:
                self.remember(fill.base, rate.dollars * value / fill.quantity, fill.time)

    def remember(self, asset: str, dollars: Decimal, time: Any) -> None:
        """In the order of time."""
        self._times.setdefault(asset, []).append(time)
        self._seen.setdefault(asset, []).append(dollars)

    def _ask(self, asset: str, time: Any) -> Price | None:
        if self._prices is None:
            return None
        try:
            told = self._prices(asset, time)
        except LookupError:
            return None
        if told is None:
            return None
        if isinstance(told, tuple):
            return Price(exact(told[0], f"price of {asset}"), told[1])
        return Price(exact(told, f"price of {asset}"), None)

    def _own(self, asset: str, time: Any) -> Price | None:
        times = self._times.get(asset)
        if not times:
            return None
        at = bisect_right(times, time)
        return Price(self._seen[asset][at - 1], times[at - 1]) if at else None


def is_old(price: Price, time: Any) -> bool:
    """Whether it says little about the asked moment; of times that are no datetimes nobody can
    say."""
    if price.at is None or not isinstance(time, datetime):
        return False
    return bool(time - price.at > FRESH)
