"""What a book's amounts are worth in dollars, and a dollar in the report currency, at a moment."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from journal.books.material import Material, Prices
from journal.books.prices import minute_of

PLACES = Decimal(1).scaleb(-18)
ZERO = Decimal(0)


class Rates:
    """Amounts of a contract are in the asset that it settles in: `dollars` turns them over."""

    def __init__(self, material: Material, prices: Prices) -> None:
        self._material = material
        self._prices = prices
        self._rates: dict[datetime, Decimal | None] = {}

    def dollars(self, time: datetime) -> Decimal:
        """Of one of the asset that the book's amounts are in."""
        if self._material.is_coin or not self._material.assets:
            return Decimal(1)
        quote = next(iter(self._material.assets.values()))[1]
        return self._prices.dollars(quote, time) or ZERO

    def rate(self, time: datetime) -> Decimal | None:
        """What a dollar was worth in the report currency in that minute."""
        minute = minute_of(time)
        if minute not in self._rates:
            unit = self._prices.dollars(self._material.currency, minute)
            self._rates[minute] = 1 / unit if unit else None
        return self._rates[minute]

    def money(self, dollars: Decimal, time: datetime) -> Decimal | None:
        rate = self.rate(time)
        return None if rate is None else rounded(dollars * rate)

    def quote(self, asset: str, time: datetime) -> Decimal | None:
        """Dollars of one quote of a pair."""
        return self._prices.dollars(asset, time)


def rounded(value: Decimal) -> Decimal:
    """To the 18 places that PostgreSQL keeps; in a context of 60 digits."""
    with localcontext(prec=60):
        return value.quantize(PLACES, ROUND_HALF_EVEN)
