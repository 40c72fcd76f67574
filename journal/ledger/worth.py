"""What an asset is worth in dollars at a moment (money.md 1.3).

Asked in this order: cash counts 1; the price of that minute; the last price known before it, be it
a candle's or one of the account's own fills, whichever is newer. Never a price of later.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
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


class Seen(NamedTuple):
    """Moments of an account's own fills, and the dollars of one that each of them tells."""

    times: list[Any]
    dollars: list[Decimal]


class Worth:
    """`units` count as 1: the dollars, and without any prices the one quote that there is. `own`
    is what the account's fills tell, asset by asset; without it they are learned as they come."""

    def __init__(
        self,
        prices: Prices | None = None,
        units: Iterable[str] = (),
        own: Mapping[str, Seen] | None = None,
    ) -> None:
        self._prices = prices
        self._units = DOLLARS | frozenset(units)
        self._is_learning = own is None
        self.own: dict[str, Seen] = dict(own or {})

    def is_unit(self, asset: str) -> bool:
        return asset in self._units

    def is_cash(self, asset: str) -> bool:
        """No lots are kept of it."""
        return asset in self._units or asset in CURRENCIES

    def price(self, asset: str, time: Any, *, is_early: bool = False) -> Price | None:
        """None where no price was ever known before. `is_early`: what comes before the fills of
        its moment does not know their prices. Raises ValueError for a price that is none."""
        if asset in self._units:
            return Price(ONE, None)
        told = self._ask(asset, time)
        if told is not None and told.at is None:
            return told
        own = self._own(asset, time, is_early)
        if told is None or (own is not None and own.at > told.at):
            return own
        return told

    def learn(self, fill: Fill, worth: Decimal | None) -> None:
        """What a spot fill tells: the side that was not cash, or not known, at the other's worth.
        What is told already is not told again by it."""
        value = fill.quote_value
        if worth is None or not value or not self._is_learning:
            return
        if self.is_unit(fill.quote) or not self.is_unit(fill.base):
            is_told_by_quote = self.is_unit(fill.quote) or self.price(fill.quote, fill.time)
            if is_told_by_quote:
                self.remember(fill.base, worth / fill.quantity, fill.time)
                return
        self.remember(fill.quote, worth / value, fill.time)

    def remember(self, asset: str, dollars: Decimal, time: Any) -> None:
        """In the order of time."""
        seen = self.own.setdefault(asset, Seen([], []))
        seen.times.append(time)
        seen.dollars.append(dollars)

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

    def _own(self, asset: str, time: Any, is_early: bool) -> Price | None:
        seen = self.own.get(asset)
        if seen is None:
            return None
        at = (bisect_left if is_early else bisect_right)(seen.times, time)
        return Price(seen.dollars[at - 1], seen.times[at - 1]) if at else None


def is_old(price: Price, time: Any) -> bool:
    """Whether it says little about the asked moment; of times that are no datetimes nobody can
    say."""
    if price.at is None or not isinstance(time, datetime):
        return False
    return bool(time - price.at > FRESH)
