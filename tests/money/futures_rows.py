"""Random rows of USD-M: one-way and hedge, flips, funding, deliveries, every kind of income."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.money.market import Market, text
from tests.money.worth import split_symbol

ONE_WAY = ("BTCUSDT", "SOLUSDC")
HEDGED = "ETHUSDT"
QUARTERLY = "BTCUSDT_260327"
KINDS = (
    "COMMISSION_REBATE",
    "REFERRAL_KICKBACK",
    "BFUSD_REWARD",
    "API_REBATE",
    "SOMETHING_NEW",
)
Case = dict[str, Any]


@dataclass
class Position:
    """`quantity` is signed; `entry` is the exchange's average."""

    quantity: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)

    def trade(self, signed: Decimal, price: Decimal) -> Decimal:
        """What the exchange says it realised."""
        realised = Decimal(0)
        if self.quantity * signed < 0:
            closed = min(abs(signed), abs(self.quantity))
            sign = 1 if self.quantity > 0 else -1
            realised = (price - self.entry) * closed * sign
            self.quantity -= sign * closed
            signed += sign * closed
        if signed:
            held = abs(self.quantity)
            self.entry = (self.entry * held + price * abs(signed)) / (held + abs(signed))
            self.quantity += signed
        return realised.quantize(Decimal("1e-12"))


class UsdM:
    def __init__(self, dice: Random, market: Market, case: Case, *, begins_inside: bool) -> None:
        self.dice = dice
        self.market = market
        self.case = case
        self.id = 0
        self.tran = 0
        books = [(symbol, "BOTH") for symbol in ONE_WAY]
        books += [(HEDGED, "LONG"), (HEDGED, "SHORT")]
        self.books = {book: Position() for book in books}
        if begins_inside:
            for (symbol, side), position in self.books.items():
                if dice.random() < 0.7:
                    coin = split_symbol(symbol)[0]
                    sign = {"LONG": 1, "SHORT": -1}.get(side) or dice.choice((1, -1))
                    position.quantity = sign * market.size(coin, dice.uniform(100, 3000))
                    position.entry = (market.price(coin) * 98 / 100).quantize(Decimal("0.0001"))
        self.steps = (
            (self.trade, 12),
            (self.flip, 3),
            (self.close, 4),
            (self.lock, 2),
            (self.funding, 5),
            (self.special, 1),
            (self.income, 3),
            (self.insurance, 1),
            (self.exchange, 1),
            (self.quarterly, 1),
            (self.gone, 1),
        )

    def begin(self) -> None:
        """Collateral in BNB, now and then."""
        if self.dice.random() < 0.5 and self.market.held["BNB"] <= 0:
            row = ["deposit", "first", "BNB", "2", self.market.time, ""]
            self.case["transfers"].append(row)
            self.market.held["BNB"] += 2

    def step(self) -> None:
        steps, weights = zip(*self.steps, strict=True)
        self.dice.choices(steps, weights)[0]()

    def tell_positions(self, *, with_entries: bool) -> None:
        told = {f"{symbol}:{side}": book for (symbol, side), book in self.books.items()}
        self.case["position_now"] = {name: text(book.quantity) for name, book in told.items()}
        if not with_entries:
            return
        self.case["position_entry"] = {
            name: text(book.entry.quantize(Decimal("1e-12")))
            for name, book in told.items()
            if book.quantity
        }

    # --- fills -----------------------------------------------------------------------------

    def trade(self) -> None:
        """Opens, adds or closes a part."""
        symbol, side = self.dice.choice(list(self.books))
        quantity = self._size(symbol)
        held = abs(self.books[symbol, side].quantity)
        is_adding = side == "BOTH" or not held or self.dice.random() < 0.5
        if is_adding:
            way = {"LONG": 1, "SHORT": -1}.get(side) or self.dice.choice((1, -1))
            self.fill(symbol, side, way * quantity)
        else:
            self.fill(symbol, side, -min(quantity, held) * (1 if side == "LONG" else -1))

    def flip(self) -> None:
        symbol = self.dice.choice(ONE_WAY)
        held = self.books[symbol, "BOTH"].quantity
        extra = self._size(symbol)
        self.fill(symbol, "BOTH", -held - (extra if held >= 0 else -extra))

    def close(self) -> None:
        symbol, side = self.dice.choice(list(self.books))
        held = self.books[symbol, side].quantity
        if held:
            self.fill(symbol, side, -held)

    def lock(self) -> None:
        """The same size on both sides."""
        quantity = self._size(HEDGED)
        self.fill(HEDGED, "LONG", quantity)
        self.fill(HEDGED, "SHORT", -quantity)

    def fill(self, symbol: str, side: str, signed: Decimal) -> None:
        base, quote = split_symbol(symbol)
        price = self.market.quoted(base, quote)
        realised = self.books.setdefault((symbol, side), Position()).trade(signed, price)
        coin = self.market.fee_coin(quote) if self.dice.random() < 0.3 else quote
        fee = abs(signed) * price / self.market.price(coin) / 2500
        if self.dice.random() < 0.1:
            fee = -fee / 4
        self.id += 1
        row = [symbol, self.id, "BUY" if signed > 0 else "SELL"]
        row += map(text, (price, abs(signed), fee.quantize(Decimal("1e-8"))))
        row += [coin, self.market.time, text(realised), side]
        self.case["usdm"].append(row)
        self.market.held[coin] -= fee
        if self.dice.random() < 0.3:
            self._income("COMMISSION", coin, symbol, -fee.quantize(Decimal("1e-8")))
            if realised:
                self._income("REALIZED_PNL", quote, symbol, realised)

    def _size(self, symbol: str) -> Decimal:
        return self.market.size(split_symbol(symbol)[0], self.dice.uniform(50, 4000))

    # --- income ----------------------------------------------------------------------------

    def funding(self) -> None:
        """A few seconds after the hour; sometimes something is closed in those seconds."""
        hours = self.dice.choice((1, 4, 8))
        hour = self.market.now.replace(minute=0, second=0) + timedelta(hours=hours)
        symbol = self.dice.choice([*ONE_WAY, HEDGED, HEDGED])
        held = self._held(symbol)
        self.market.now = hour
        if self.dice.random() < 0.3:
            self.market.now += timedelta(seconds=self.dice.randint(0, 2))
            self.close()
        self.market.now += timedelta(seconds=self.dice.randint(0, 12))
        self._settle("FUNDING_FEE", symbol, held)

    def special(self) -> None:
        self.market.wait(at_least=61)
        symbol = self.dice.choice([*ONE_WAY, HEDGED])
        self._settle("SPECIAL_FUNDING_FEE", symbol, self._held(symbol))

    def _held(self, symbol: str) -> list[Decimal]:
        return [
            book.quantity
            for (other, _), book in self.books.items()
            if other == symbol and book.quantity
        ]

    def _settle(self, kind: str, symbol: str, held: list[Decimal]) -> None:
        """A row for each side, or one for both; seldom one where nothing is held."""
        told = self.case.get("funding_rate")
        rate = Decimal(told) if told else self.dice.choice((1, -1)) * Decimal("0.0001")
        base, quote = split_symbol(symbol)
        amounts = [-rate * quantity * self.market.price(base) for quantity in held]
        if len(amounts) == 2 and sum(held, Decimal(0)) and self.dice.random() < 0.3:
            amounts = [sum(amounts, Decimal(0))]
        if not amounts and self.dice.random() < 0.1:
            amounts = [Decimal("-0.05")]
        coin = self.market.fee_coin(quote) if self.dice.random() < 0.25 else quote
        for amount in amounts:
            size = (amount / self.market.price(coin)).quantize(Decimal("1e-8"))
            if size:
                self._income(kind, coin, symbol, size)

    def income(self) -> None:
        """What is no result of a contract: rebates, rewards, own wallets, unknown kinds."""
        kind = self.dice.choice((*KINDS, "POSITION_LIMIT_INCREASE_FEE", "TRANSFER"))
        coin = self.dice.choice(("USDT", "USDT", "BNB"))
        amount = self.market.size(coin, self.dice.uniform(6, 20))
        if kind == "POSITION_LIMIT_INCREASE_FEE" or self.dice.random() < 0.1:
            amount = -amount
        self._income(kind, coin, "", amount)

    def insurance(self) -> None:
        kind = self.dice.choice(("INSURANCE_CLEAR", "FEE_RETURN"))
        amount = self.dice.choice((Decimal("-3.5"), Decimal("0.75")))
        self._income(kind, "USDT", self.dice.choice(ONE_WAY), amount)

    def exchange(self) -> None:
        """The exchange turns a little BNB into dollars by itself."""
        size = self.market.size("BNB", 30)
        if self.market.held["BNB"] < size:
            return
        brought = (size * self.market.price("BNB")).quantize(Decimal("0.01"))
        if self.dice.random() < 0.5:
            self._income("AUTO_EXCHANGE", "BNB", "", -size)
            self._income("AUTO_EXCHANGE", "USDT", "", brought)
        else:
            self._income("COIN_SWAP_WITHDRAW", "BNB", "", -size)
            self._income("COIN_SWAP_DEPOSIT", "USDC", "", brought)

    def quarterly(self) -> None:
        """Bought or sold, then delivered by the exchange."""
        if any(row[0] == QUARTERLY for row in self.case["usdm"]):
            return
        signed = self.dice.choice((1, -1)) * self._size(QUARTERLY)
        self.fill(QUARTERLY, "BOTH", signed)
        self.market.wait()
        self.fill(QUARTERLY, "BOTH", signed)
        self.market.wait(at_least=3600)
        position = self.books.pop((QUARTERLY, "BOTH"))
        amount = position.trade(-position.quantity, self.market.quoted("BTC", "USDT"))
        if amount:
            rounded = amount.quantize(Decimal("1e-8"))
            self._income("DELIVERED_SETTELMENT", "USDT", QUARTERLY, rounded)

    def gone(self) -> None:
        """A delisted contract of which no fill is told."""
        self._income("REALIZED_PNL", "USDT", "GONEUSDT", Decimal(self.dice.randint(-90, 90)) - 100)
        self._income("COMMISSION", "USDT", "GONEUSDT", Decimal("-0.4"))

    def _income(self, kind: str, coin: str, symbol: str, amount: Decimal) -> None:
        self.tran += 1
        row = [kind, str(self.tran), coin, symbol, text(amount), self.market.time]
        self.case["income"].append(row)
        self.market.held[coin] += amount if kind != "COMMISSION" else 0
