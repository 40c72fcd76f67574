"""Random fills of spot: stacks, day trades, scaling, cash pairs."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

from tests.money.market import Market, text
from tests.money.worth import CASH, split_symbol

PAIRS = (
    "BTCUSDT",
    "BTCFDUSD",
    "ETHUSDT",
    "ETHUSDC",
    "ETHBTC",
    "BNBUSDT",
    "SOLUSDT",
    "SOLBNB",
    "BTCEUR",
    "BTCTRY",
)
CASH_PAIRS = ("EURUSDT", "USDTTRY", "USDCUSDT", "EURTRY")
COINS = ("BTC", "ETH", "SOL", "BNB")
RULES = {
    "BTCUSDT": ["0.00001", "5"],
    "BTCFDUSD": ["0.00001", "5"],
    "ETHUSDT": ["0.0001", "5"],
    "ETHBTC": ["0.0001", "0.0001"],
    "BNBUSDT": ["0.001", "5"],
    "SOLUSDT": ["0.001", "5"],
    "SOLBNB": ["0.01", "0.01"],
}
Case = dict[str, Any]


class Spot:
    def __init__(self, dice: Random, market: Market, case: Case) -> None:
        self.dice = dice
        self.market = market
        self.case = case
        self.ids: dict[str, int] = defaultdict(int)
        self.steps = (
            (self.buy, 8),
            (self.sell, 8),
            (self.day_trade, 4),
            (self.scale, 2),
            (self.cash, 2),
            (self.mark, 1),
        )

    def begin(self) -> None:
        """Some of each coin, so that most of what leaves is there."""
        for pair in ("BNBUSDT", "BTCUSDT", "ETHUSDC"):
            if self.dice.random() < 0.8:
                self.buy(pair)
                self.market.wait()

    def step(self) -> None:
        steps, weights = zip(*self.steps, strict=True)
        self.dice.choices(steps, weights)[0]()

    # --- fills -----------------------------------------------------------------------------

    def buy(self, pair: str = "") -> None:
        pair = pair or self.dice.choice(PAIRS)
        base = split_symbol(pair)[0]
        self.fill(pair, "BUY", self.market.size(base, self.dice.uniform(20, 9000)))

    def sell(self, pair: str = "") -> None:
        """Of what is held; once in a while more, or what nobody brought (§2.7)."""
        pair = pair or self.dice.choice(PAIRS)
        base = split_symbol(pair)[0]
        quantity = self.market.part(base)
        if self.dice.random() < 0.02:
            quantity += self.market.size(base, self.dice.uniform(20, 500))
        if quantity > 0:
            self.fill(pair, "SELL", quantity)

    def day_trade(self) -> None:
        pair = self.dice.choice(PAIRS)
        base = split_symbol(pair)[0]
        quantity = self.market.size(base, self.dice.uniform(100, 3000))
        before = self.market.held[base]
        self.fill(pair, "BUY", quantity)
        self.market.wait()
        same = [other for other in PAIRS if split_symbol(other)[0] == base]
        bought = self.market.held[base] - before
        if bought > 0:
            size = quantity if self.dice.random() < 0.1 else bought
            self.fill(self.dice.choice(same), "SELL", size)

    def scale(self) -> None:
        """In by steps and out by steps."""
        pair = self.dice.choice(PAIRS)
        for side in (self.buy, self.buy, self.sell, self.buy, self.sell):
            side(pair)
            self.market.wait()

    def cash(self) -> None:
        pair = self.dice.choice(CASH_PAIRS)
        quantity = Decimal(self.dice.randint(10, 2000))
        self.fill(pair, self.dice.choice(("BUY", "SELL")), quantity)

    def fill(self, pair: str, side: str, quantity: Decimal) -> None:
        market, (base, quote) = self.market, split_symbol(pair)
        price = market.quoted(base, quote)
        given, got = ((quote, price * quantity), (base, quantity))
        is_short = quote not in CASH and self.market.held[quote] < given[1]
        if side == "BUY" and is_short and self.dice.random() < 0.9:
            return
        if side == "SELL":
            given, got = got, given
        fee, coin = self.fee(got, quote, price * quantity)
        self.ids[pair] += self.dice.randint(1, 9)
        row = [pair, self.ids[pair], side, *map(text, (price, quantity, fee)), coin, market.time]
        self.case["spot"].append(row)
        market.held[given[0]] -= given[1]
        market.held[got[0]] += got[1]
        market.held[coin] -= fee

    def fee(self, got: tuple[str, Decimal], quote: str, amount: Decimal) -> tuple[Decimal, str]:
        """In the coin that comes, the quote, BNB, none at all, or a rebate."""
        kind = self.dice.choices(("got", "quote", "BNB", "none", "rebate"), (5, 2, 4, 3, 1))[0]
        dollars = amount * self.market.price(quote) / 1000
        if kind == "none":
            return Decimal(0), quote
        if kind == "got":
            return (got[1] / 1000).quantize(Decimal("1e-8")), got[0]
        coin = quote
        if kind == "BNB":
            coin = self.market.fee_coin(got[0])
        elif kind == "rebate":
            coin = self.dice.choice((quote, got[0], "BNB"))
        size = (dollars / self.market.price(coin)).quantize(Decimal("1e-8"))
        return (-size / 4 if kind == "rebate" else size), coin

    def mark(self) -> None:
        """§3.6: the owner sets a trade aside at one of its purchases."""
        buys = [row for row in self.case["spot"] if row[2] == "BUY" and row[0] in PAIRS]
        if buys:
            self.case.setdefault("set_aside", []).append(self.dice.choice(buys)[:2])
