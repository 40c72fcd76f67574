"""A year of a made-up trader: thousands of fills, spot and futures, fees in BNB, funding, deposits,
withdrawals, dust, converts, dividends, and one purchase that the exchange has forgotten.

Everything goes through the same desks as live orders, so what the account has in the end is the
exchange's own matching. The same seed and the same moment give the same year.
"""

import random

from simulator.accounts.bank import Bank
from simulator.accounts.futures import FuturesDesk
from simulator.accounts.records import SPOT, USDM, Account, Movement
from simulator.accounts.round_trips import RoundTrips
from simulator.amounts import UNIT, to_text
from simulator.listing import Listing
from simulator.sources.generator import FUNDING_EVERY_US, funding_rate
from simulator.sources.walk import DAY_MS, DAYS, Walks

DEPOSIT = 60_000 * UNIT
TO_FUTURES = 15_000 * UNIT
FORGOTTEN_DAY = 40


def open_demo(bank: Bank, seed: int = 1) -> Account:
    """The account `demo`, with a key that may only read."""
    account = bank.open_account("demo", {}, {})
    bank.add_key(account, "hmac", {})
    Year(bank, account, seed).live()
    return account


def give_past(bank: Bank, *, opens_demo: bool) -> None:
    """The demo's year lies behind the exchange, also after a restart; a demo is opened where there
    is no account yet. Without one there is no past."""
    walks = past_walks(bank)
    is_new = opens_demo and not bank.accounts
    if walks is None and is_new:
        walks = Walks(1, _year_ago(bank))
    if walks is None:
        return
    bank.exchange.go_on_from(walks)
    if is_new:
        open_demo(bank)


def past_walks(bank: Bank, seed: int = 1) -> Walks | None:
    """What prices were in the demo's year, also after a restart; None without a demo."""
    demo = next((a for a in bank.accounts.values() if a.name == "demo"), None)
    if demo is None or not demo.movements:
        return None
    first = min(item.time for item in demo.movements)
    return Walks(seed, first // DAY_MS * DAY_MS)


def _year_ago(bank: Bank) -> int:
    return bank.now_ms() // DAY_MS * DAY_MS - DAYS * DAY_MS


class Year:
    def __init__(self, bank: Bank, account: Account, seed: int) -> None:
        self.bank = bank
        self.account = account
        self.rng = random.Random(f"year {seed}")
        # every year is the same one: prices of the past are the market's, not the account's
        past = past_walks(bank)
        self.start_ms = past.start_ms if past else _year_ago(bank)
        self.now_ms = self.start_ms + DAYS * DAY_MS
        self.prices = past or Walks(1, self.start_ms)
        self.spot = [item.symbol.rules for item in bank.exchange.markets[SPOT].listed.values()]
        self.spot = [rules for rules in self.spot if rules.quote == "USDT"]
        self.usdm = [item.symbol.rules for item in bank.exchange.markets[USDM].listed.values()]
        self._desk = FuturesDesk(lambda *told: None, bank.next_id)
        self.trips = RoundTrips(bank, account, self.rng, self.prices, self._desk)

    def live(self) -> None:
        told, priced = self.bank.spot._tell, self.bank.spot._price_in_quote
        self.bank.spot._tell = lambda *told: None
        self.bank.spot._price_in_quote = self._price_then
        try:
            for day in range(DAYS):
                self._day(day)
        finally:
            self.bank.spot._tell, self.bank.spot._price_in_quote = told, priced
        self.account.funded_until = self.account.updated = self.now_ms
        self.bank.settle_past(self.account)

    # --- days -----------------------------------------------------------------------------------

    def _day(self, day: int) -> None:
        opens = self.start_ms + day * DAY_MS
        if day == 0:
            self._move("deposit", "USDT", DEPOSIT, opens + 60_000)
            self._transfer(TO_FUTURES, opens + 120_000)
        elif day % 30 == 0:
            self._move("deposit", "USDT", 2_000 * UNIT, opens + 3_600_000)
        if day % 75 == 74 and self._free("USDT") > 3_000 * UNIT:
            self._withdraw("USDT", 1_000 * UNIT, UNIT, opens + 4_000_000)
        if day % 28 == 13 and self._free("BNB") > 0:
            self._move(
                "dividend", "BNB", self._free("BNB") // 400 + 1, opens + 100_000, info="BNB Vault"
            )
        if day % 60 == 30:
            self._convert(opens + 5_000_000)
        if day % 90 == 45:
            self._dust(opens + 6_000_000)
        self._plan(day, opens)
        self.trips.run_until(opens + DAY_MS)

    def _plan(self, day: int, opens: int) -> None:
        """What of the day is not money that was moved: savings, visits, funding."""
        rng, trips = self.rng, self.trips
        if day % 9 == 0 or day == FORGOTTEN_DAY:
            rules = self._bnb() if day % 27 == 0 else rng.choice(self.spot)
            come_in = self._buy_forgotten if day == FORGOTTEN_DAY else self._bring
            trips.at(opens + 9_000_000, lambda now: come_in(rules, now))
        if day % 45 == 44:
            rules = rng.choice(self.spot)
            trips.at(opens + 12_000_000, lambda now: self._sell_some(rules, now))
        for moment in trips.habits.visits(opens) if day < DAYS - 1 else []:
            usdm = rng.choice(self.usdm) if self.usdm and rng.random() < 0.8 else None
            trips.visit(moment, rng.choice(self.spot), usdm)
        for number in self._fundings(day):
            trips.at(number * FUNDING_EVERY_US // 1000, self._fund)

    def _bnb(self) -> Listing:
        return next((rules for rules in self.spot if rules.base == "BNB"), self.spot[0])

    def _bring(self, rules: Listing, now: int) -> None:
        """Savings from another wallet: a stack beside the round trips, and BNB for fees. (Bought
        with the trader's own hands they would hold a trade open all year.)"""
        self._move("deposit", rules.base, self._worth(rules, now), now)

    def _buy_forgotten(self, rules: Listing, now: int) -> None:
        known = len(self.account.fills)
        self.trips.trade(SPOT, rules, now, self._worth(rules, now), is_buy=True)
        for fill in self.account.fills[known:]:
            fill.is_forgotten = True

    def _worth(self, rules: Listing, now: int) -> int:
        """A few hundred dollars of a coin, in whole steps."""
        value = min(self.rng.randint(150, 900) * UNIT, self._free("USDT") // 3)
        return value * UNIT // self.prices.at(rules, now) // rules.step * rules.step

    def _sell_some(self, rules: Listing, now: int) -> None:
        share = self._free(rules.base) * self.rng.randint(10, 40) // 100
        self.trips.trade(SPOT, rules, now, share // rules.step * rules.step, is_buy=False)

    def _fundings(self, day: int) -> range:
        """Numbers of the day's three payments."""
        first = (self.start_ms + day * DAY_MS) * 1000 // FUNDING_EVERY_US + 1
        return range(first, first + 3)

    def _fund(self, time_ms: int) -> None:
        """By the position of that moment."""
        number = time_ms * 1000 // FUNDING_EVERY_US
        for rules in self.usdm:
            mark = self.prices.at(rules, time_ms)
            rate = funding_rate(rules, number)
            self._desk.fund(self.account, rules, rate, mark, time_ms)

    # --- what is no order -----------------------------------------------------------------------

    def _move(
        self, kind: str, asset: str, amount: int, time_ms: int, **details: str | int | bool
    ) -> Movement:
        self.account.holding(asset).free += amount
        moved = Movement(kind, self.bank.next_id(), time_ms, asset, amount, details)
        self.account.movements.append(moved)
        return moved

    def _withdraw(self, asset: str, amount: int, fee: int, time_ms: int) -> None:
        self._move("withdrawal", asset, -amount - fee, time_ms, fee=fee)

    def _transfer(self, amount: int, time_ms: int) -> None:
        moved = self._move("transfer", "USDT", -amount, time_ms, type="MAIN_UMFUTURE")
        self.account.wallet["USDT"] = self.account.wallet.get("USDT", 0) + amount
        self.account.movements.append(
            Movement(
                "income",
                moved.id,
                time_ms,
                "USDT",
                amount,
                {"symbol": "", "incomeType": "TRANSFER", "info": "TRANSFER", "tradeId": ""},
            )
        )

    def _convert(self, time_ms: int) -> None:
        """Some of what was saved back into dollars."""
        rules = self.rng.choice(self.spot)
        price = self.prices.at(rules, time_ms)
        paid = min(150 * UNIT * UNIT // price, self._free(rules.base) // 2)
        got = paid * price // UNIT
        if not got:
            return
        number = self.bank.next_id()
        self._move("convert", rules.base, -paid, time_ms)
        self._move(
            "convert",
            "USDT",
            got,
            time_ms,
            quoteId=f"q{number}",
            orderId=number,
            fromAsset=rules.base,
            fromAmount=to_text(paid),
            toAsset="USDT",
            toAmount=to_text(got),
            ratio=to_text(price),
            inverseRatio=to_text(UNIT * UNIT // price),
        )

    def _dust(self, time_ms: int) -> None:
        """A remainder of a coin becomes BNB, less 2 %."""
        dusty = [rules for rules in self.spot if rules.base != "BNB" and self._free(rules.base)]
        bnb = next((rules for rules in self.spot if rules.base == "BNB"), None)
        if not dusty or bnb is None:
            return
        rules = self.rng.choice(dusty)
        price, in_bnb = self.prices.at(rules, time_ms), self.prices.at(bnb, time_ms)
        amount = min(self._free(rules.base), 4 * UNIT * UNIT // price)
        gained = amount * price // in_bnb
        fee = gained // 50
        if gained <= fee:
            return
        group = self.bank.next_id()
        self._move("dust", rules.base, -amount, time_ms, group=group)
        self._move(
            "dust",
            "BNB",
            gained - fee,
            time_ms,
            group=group,
            fee=fee,
            from_asset=rules.base,
            from_amount=amount,
        )

    # --- helpers --------------------------------------------------------------------------------

    def _price_then(self, asset: str, quote: str) -> int:
        rules = next((r for r in self.spot if (r.base, r.quote) == (asset, quote)), None)
        return self.prices.at(rules, self.trips.at_ms) if rules else 0

    def _free(self, asset: str) -> int:
        return self.account.holding(asset).free
