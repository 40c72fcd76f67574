"""A made-up year at an exchange: a clock, prices that walk, and what one account holds."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random

START = datetime(2025, 3, 1, 8, tzinfo=UTC)
END = START + timedelta(days=365)
# coins with a price; the last two are currencies
FIRST_PRICES = {
    "BTC": "60000",
    "ETH": "3000",
    "SOL": "150",
    "BNB": "600",
    "MATIC": "0.5",
    "POL": "0.5",
    "EUR": "1.1",
    "TRY": "0.03",
}
CALM = ("EUR", "TRY")


def text(number: Decimal) -> str:
    return f"{number.normalize():f}"


class Market:
    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.now = START
        self.prices = {coin: Decimal(price) for coin, price in FIRST_PRICES.items()}
        self.held: dict[str, Decimal] = defaultdict(Decimal)
        # of every price its minutes, as `prices` of a case has them
        self.points: dict[str, list[list[str]]] = {coin: [] for coin in self.prices}
        self._note_prices()

    @property
    def time(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def wait(self, *, at_least: int = 0) -> None:
        """Nothing, seconds, hours, days or (seldom) months; prices move with it."""
        longest = self.dice.choices((0, 90, 7_200, 86_400, 864_000, 7_000_000), (3, 6, 9, 6, 3, 1))
        seconds = max(at_least, self.dice.randint(0, longest[0]))
        if self.now + timedelta(seconds=seconds) > END:
            seconds = max(at_least, 60)
        self.now += timedelta(seconds=seconds)
        for coin in self.prices:
            step = self.dice.uniform(-0.03, 0.03) if seconds else 0.0
            self.prices[coin] *= 1 + Decimal(step) / (10 if coin in CALM else 1)
        if self.dice.random() < 0.9:
            self._note_prices()

    def _note_prices(self) -> None:
        minute = self.now.replace(second=0).strftime("%Y-%m-%dT%H:%M:%SZ")
        for coin, points in self.points.items():
            if not points or points[-1][0] != minute:
                points.append([minute, text(self.prices[coin].quantize(Decimal("0.00001")))])

    def price(self, coin: str) -> Decimal:
        return self.prices.get(coin, Decimal(1))

    def quoted(self, base: str, quote: str) -> Decimal:
        """The price of a pair, with the digits that such a pair has."""
        price = self.price(base) / self.price(quote)
        return price.quantize(Decimal("0.01") if price > 10 else Decimal("0.00001"))

    def size(self, coin: str, dollars: float) -> Decimal:
        """A quantity of about so many dollars."""
        quantity = Decimal(dollars) / self.price(coin)
        return self.rounded(quantity, "0.00001" if self.price(coin) > 1000 else "0.01")

    def part(self, coin: str) -> Decimal:
        """Some or all of what is held; 0 of a coin that is not."""
        share = self.dice.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1), Decimal(1)))
        held = max(self.held[coin], Decimal(0))
        return held if share == 1 else min(held, self.rounded(held * share, "0.00001"))

    def fee_coin(self, otherwise: str) -> str:
        """BNB where there is some (seldom where there is none)."""
        has_bnb = self.held["BNB"] > Decimal("0.01") or self.dice.random() < 0.03
        return "BNB" if has_bnb else otherwise

    @staticmethod
    def rounded(number: Decimal, step: str) -> Decimal:
        return max(Decimal(step), number.quantize(Decimal(step), ROUND_DOWN))
