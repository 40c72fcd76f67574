"""The one worth of an event, for both its sides (money.md §1.3)."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.lots import ZERO
from tests.money.rows import Change, Fill, moment
from tests.money.worth import CASH, DOLLARS, Prices


def prices_of(case: dict[str, Any], complain: Callable[[str, str], None]) -> Prices:
    """§8: `price` is constant; `prices` {coin: [[time, price]]} move from minute to minute."""
    constant = {coin: Fraction(price) for coin, price in case.get("price", {}).items()}
    moving = {
        coin: [(moment(at), Fraction(price)) for at, price in points]
        for coin, points in case.get("prices", {}).items()
    }
    return Prices(constant, moving, complain)


class Worths:
    """`reasons` are the coins of which no price was known at all when it was asked."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self.reasons: list[str] = []

    def price(self, coin: str, now: datetime) -> Fraction | None:
        price = self.prices.of(coin, now)
        if price is None and coin not in self.reasons:
            self.reasons.append(coin)
        return price

    def of_fill(self, fill: Fill) -> Fraction | None:
        """§1.3: the other side where that is cash, else the quote's price, else the base's."""
        now = fill.time
        if fill.quote in DOLLARS:
            worth: Fraction | None = fill.amount
            self.prices.learn(fill.base, now, fill.price)
        elif fill.base in DOLLARS:
            worth = fill.quantity
            self.prices.learn(fill.quote, now, 1 / fill.price)
        elif (price := self.prices.of(fill.quote, now)) is not None:
            worth = price * fill.amount
            self.prices.learn(fill.base, now, price * fill.price)
        elif (price := self.price(fill.base, now)) is not None:
            worth = price * fill.quantity
            self.prices.learn(fill.quote, now, price / fill.price)
        else:
            worth = None
        return worth

    def of_fee(self, fill: Fill, worth: Fraction) -> Fraction:
        """§2.3: a coin of the fill at the fill's own price, a dollar 1:1, others by their price."""
        if not fill.fee:
            return ZERO
        if fill.fee_coin in DOLLARS:
            return fill.fee
        for coin, quantity in (fill.got, fill.given):
            if coin == fill.fee_coin:
                return worth * fill.fee / quantity
        return (self.price(fill.fee_coin, fill.time) or ZERO) * fill.fee

    def of_change(self, change: Change) -> Fraction | None:
        """§1.3: cash (dollars before currencies), else the given coin's price, else the got's."""
        sides = [change.given, change.got]
        sides.sort(key=lambda side: (side[0] not in DOLLARS, side[0] not in CASH))
        for coin, quantity in sides:
            price = self.prices.of(coin, change.time)
            if price is not None:
                return price * quantity
        self.price(change.given[0], change.time)
        return None
