"""Random rows of whatever else moves a coin: transfers, conversions, dust, swaps, income."""

from decimal import Decimal
from random import Random
from typing import Any

from tests.money.market import Market, text
from tests.money.spot_rows import COINS, Spot
from tests.money.worth import CASH

Case = dict[str, Any]


class Moves:
    def __init__(
        self, dice: Random, market: Market, case: Case, spot: Spot, *, is_plain: bool
    ) -> None:
        self.dice = dice
        self.market = market
        self.case = case
        self.spot = spot
        self.is_plain = is_plain
        self.steps = (
            (self.deposit, 2),
            (self.withdraw, 2),
            (self.move, 2),
            (self.dust, 1),
            (self.dividend, 3),
            (self.convert, 0 if is_plain else 3),
            (self.swap, 0 if is_plain else 1),
            (self.delist, 0 if is_plain else 1),
        )

    def step(self) -> None:
        steps, weights = zip(*self.steps, strict=True)
        self.dice.choices(steps, weights)[0]()

    def deposit(self) -> None:
        coin = self.dice.choice((*COINS, "USDT", "EUR"))
        kind = self.dice.choice(("deposit", "deposit", "p2p"))
        self._transfer(kind, coin, self.market.size(coin, self.dice.uniform(50, 5000)), "")

    def withdraw(self) -> None:
        coin = self.dice.choice((*COINS, "USDT", "EUR"))
        quantity = self.market.part(coin)
        if quantity > 0:
            fee = (quantity / 500).quantize(Decimal("1e-8"))
            self._transfer("withdrawal", coin, fee - quantity, "")
            if fee and not self.is_plain:
                self._transfer("network_fee", coin, -fee, "")

    def move(self) -> None:
        """Out to another own wallet, and (mostly) back."""
        coin = self.dice.choice(COINS)
        quantity = self.market.part(coin)
        if quantity > 0:
            if self.dice.random() < 0.05:
                self._transfer("internal", coin, -quantity, "MAIN_MARGIN")
                return
            self._transfer("internal", coin, -quantity, "MAIN_UMFUTURE")
            self.market.wait()
            if self.dice.random() < 0.7:
                self._transfer("internal", coin, quantity, "UMFUTURE_MAIN")

    def _transfer(self, kind: str, coin: str, amount: Decimal, info: str) -> None:
        rows = self.case["transfers"]
        rows.append([kind, f"t{len(rows)}", coin, text(amount), self.market.time, info])
        if kind != "internal":
            self.market.held[coin] += amount

    def convert(self) -> None:
        given, got = self.dice.sample((*COINS, "USDT", "USDC", "EUR"), 2)
        size = self.market.part(given) if given not in CASH else Decimal(0)
        quantity = size if size > 0 else self.market.size(given, self.dice.uniform(50, 4000))
        if size > 0 or given in CASH:
            self._change("converts", given, quantity, got, Decimal("0.998"))

    def delist(self) -> None:
        """The exchange stops a coin and pays its holders out."""
        if self.market.held["MATIC"] > 0:
            self._change("converts", "MATIC", self.market.held["MATIC"], "USDC", Decimal("0.9"))
        else:
            self.spot.fill("MATICUSDT", "BUY", Decimal(self.dice.randint(100, 5000)))

    def swap(self) -> None:
        """MATIC becomes POL, one for one, with cost and dates."""
        if self.market.held["MATIC"] > 0:
            quantity = self.market.held["MATIC"]
            rows = self.case.setdefault("swaps", [])
            rows.append([f"s{len(rows)}", "MATIC", text(quantity), "POL", text(quantity)])
            rows[-1].append(self.market.time)
            self.market.held["MATIC"] = Decimal(0)
            self.market.held["POL"] += quantity
        elif self.market.held["POL"] > 0:
            self.spot.fill("POLUSDT", "SELL", self.market.part("POL"))
        else:
            self.spot.fill("MATICUSDT", "BUY", Decimal(self.dice.randint(100, 5000)))

    def _change(self, key: str, given: str, quantity: Decimal, got: str, spread: Decimal) -> None:
        market = self.market
        ratio = market.price(given) / market.price(got)
        brought = (quantity * ratio * spread).quantize(Decimal("1e-8"))
        if brought <= 0:
            return
        rows = self.case.setdefault(key, [])
        rows.append([f"c{len(rows)}", given, text(quantity), got, text(brought), market.time])
        market.held[given] -= quantity
        market.held[got] += brought

    def dust(self) -> None:
        """One batch a history, as the shape of the cases has it; the same coin may be twice."""
        market = self.market
        held = [coin for coin in COINS[:3] if market.held[coin] > 0]
        if "dribblet" in self.case or not held:
            return
        at = int(market.now.timestamp() * 1000)
        details = []
        for number in range(self.dice.randint(1, 3)):
            coin = self.dice.choice(held)
            amount = market.rounded(market.held[coin] / 200, "0.000001")
            brought = (amount * market.price(coin) / market.price("BNB")).quantize(Decimal("1e-8"))
            if brought > 0:
                charge = brought / 50
                detail = {"transId": 9000 + number, "fromAsset": coin, "operateTime": at}
                details.append(
                    detail
                    | {
                        "amount": text(amount),
                        "serviceChargeAmount": text(charge),
                        "transferedAmount": text(brought - charge),
                    }
                )
                market.held[coin] -= amount
                market.held["BNB"] += brought - charge
        if details:
            batch = {"operateTime": at, "transId": 9000, "userAssetDribbletDetails": details}
            self.case["dribblet"] = batch

    def dividend(self) -> None:
        """Interest and airdrops, some taken back; one coin that nobody ever priced."""
        coin = self.dice.choice((*COINS, "USDT", "AIR"))
        amount = self.market.size(coin, self.dice.uniform(1, 60))
        if self.dice.random() < 0.2 and self.market.held[coin] > amount:
            amount = -amount
        self.case["dividends"].append([coin, text(amount), self.market.time])
        self.market.held[coin] += amount
