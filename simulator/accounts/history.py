"""A year of a made-up trader: thousands of fills, spot and futures, fees in BNB, funding, deposits,
withdrawals, dust, converts, dividends, and one purchase that the exchange has forgotten.

Everything goes through the same desks as live orders, so what the account has in the end is the
exchange's own matching. The same seed and the same moment give the same year.
"""

import math
import random

import numpy as np
import numpy.typing as npt

from simulator.accounts.bank import Bank
from simulator.accounts.futures import FuturesDesk
from simulator.accounts.records import SPOT, USDM, Account, Movement, Order
from simulator.amounts import UNIT, to_text
from simulator.listing import Listing
from simulator.sources.generator import FUNDING_EVERY_US, funding_rate
from simulator.sources.past import Floats, PastTrades
from simulator.tape import Trade

DAY_MS = 86_400_000
DAYS = 365
# Ids of a year whose tapes have no past lie below those of the tapes, which begin at 1,000,001.
MOST_ID = 990_000
DEPOSIT = 60_000 * UNIT
TO_FUTURES = 15_000 * UNIT
FORGOTTEN_DAY = 40


def open_demo(bank: Bank, seed: int = 1) -> Account:
    """The account `demo`, with a key that may only read."""
    account = bank.open_account("demo", {}, {})
    bank.add_key(account, "hmac", {})
    Year(bank, account, seed).live()
    return account


class Prices:
    """A random walk for each symbol that ends where its market is now."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self.seed = seed
        self.start_ms = start_ms
        self._walks: dict[str, list[float]] = {}

    def covers(self, time_ms: int) -> bool:
        return self.start_ms <= time_ms < self.start_ms + (DAYS * 24 + 47) * 3_600_000

    def at(self, rules: Listing, time_ms: int) -> int:
        walk = self._walk(rules)
        hours = (time_ms - self.start_ms) / 3_600_000
        hour = int(hours)
        part = hours - hour
        level = walk[hour] * (1 - part) + walk[hour + 1] * part
        noise = random.Random(f"{rules.base}:{time_ms // 1000}").gauss(0, 0.0003)
        price = int(rules.price * math.exp(level + noise))
        return max(rules.tick, price // rules.tick * rules.tick)

    def levels(self, rules: Listing, times_ms: npt.NDArray[np.int64]) -> Floats:
        """Prices of many moments, without their noise."""
        walk = self._walk(rules)
        hours = (times_ms - self.start_ms) / 3_600_000
        return rules.price * np.exp(np.interp(hours, np.arange(len(walk)), walk))

    def _walk(self, rules: Listing) -> list[float]:
        walk = self._walks.get(rules.base)
        if walk is None:
            rng = random.Random(f"{self.seed}:{rules.base}")
            walk = [0.0]
            for _ in range(DAYS * 24 + 48):
                walk.append(walk[-1] + rng.gauss(0, 0.006))
            end = walk[DAYS * 24]
            walk = self._walks[rules.base] = [value - end for value in walk]
        return walk


def give_past(bank: Bank, *, opens_demo: bool) -> None:
    """The demo's year lies behind the exchange, also after a restart; a demo is opened where there
    is no account yet. Without one there is no past."""
    prices = past_prices(bank)
    is_new = opens_demo and not bank.accounts
    if prices is None and is_new:
        prices = Prices(1, _year_ago(bank))
    if prices is None:
        return
    bank.exchange.go_on_from(prices)
    if is_new:
        open_demo(bank)
        return
    for account in bank.accounts.values():
        for fill in account.fills:
            past = _past_of(bank, fill.market, fill.symbol)
            if past is not None and fill.id <= past.last_id:
                maker = (fill.side == "BUY") == fill.is_maker
                past.own[fill.id] = Trade(
                    fill.id, fill.price, fill.quantity, fill.time * 1000, maker, fill.id
                )


def past_prices(bank: Bank, seed: int = 1) -> Prices | None:
    """The prices of the demo's year, also after a restart; None without a demo."""
    demo = next((a for a in bank.accounts.values() if a.name == "demo"), None)
    if demo is None or not demo.movements:
        return None
    first = min(item.time for item in demo.movements)
    return Prices(seed, first // DAY_MS * DAY_MS)


def _year_ago(bank: Bank) -> int:
    return bank.now_ms() // DAY_MS * DAY_MS - DAYS * DAY_MS


def _past_of(bank: Bank, market: str, symbol: str) -> PastTrades | None:
    """What a market traded before its tape began, where that is known."""
    listed = bank.exchange.markets[market].listed.get(symbol)
    before = listed.symbol.tape.before if listed else None
    return before if isinstance(before, PastTrades) else None


class Year:
    def __init__(self, bank: Bank, account: Account, seed: int) -> None:
        self.bank = bank
        self.account = account
        self.rng = random.Random(f"year {seed}")
        # every year is the same one: prices of the past are the market's, not the account's
        past = past_prices(bank)
        self.start_ms = past.start_ms if past else _year_ago(bank)
        self.now_ms = self.start_ms + DAYS * DAY_MS
        self.prices = past or Prices(1, self.start_ms)
        self.spot = [item.symbol.rules for item in bank.exchange.markets[SPOT].listed.values()]
        self.spot = [rules for rules in self.spot if rules.quote == "USDT"]
        self.usdm = [item.symbol.rules for item in bank.exchange.markets[USDM].listed.values()]
        self._last_ids: dict[tuple[str, str], int] = {}
        # fees are valued as of the day, not as of now
        self._at_ms = self.start_ms
        self._desk = FuturesDesk(lambda *told: None, bank.next_id)

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
        times = sorted(
            self.rng.randrange(10_000_000, DAY_MS - 1000) for _ in range(self.rng.randint(3, 12))
        )
        for number, offset in enumerate(times):
            self._spot_order(opens + offset, is_forgotten=day == FORGOTTEN_DAY and number == 0)
        moments = sorted(self.rng.randrange(DAY_MS - 1000) for _ in range(3))
        funding = [number * FUNDING_EVERY_US // 1000 for number in self._fundings(day)]
        for moment in sorted([*(opens + offset for offset in moments), *funding]):
            if moment in funding:
                self._fund(moment)
            else:
                self._futures_order(moment)

    def _spot_order(self, time_ms: int, *, is_forgotten: bool) -> None:
        rng, rules = self.rng, self.rng.choice(self.spot)
        price = self.prices.at(rules, time_ms)
        self._at_ms = time_ms
        held = self._free(rules.base)
        is_buy = is_forgotten or held * price // UNIT < 1500 * UNIT or rng.random() < 0.45
        if is_buy:
            value = min(int(rng.lognormvariate(6.5, 0.8)) * UNIT, self._free("USDT") // 3)
            quantity = value * UNIT // price
        else:
            quantity = held if rng.random() < 0.3 else held * rng.randint(20, 70) // 100
        quantity = quantity // rules.step * rules.step
        if quantity * price // UNIT < 12 * UNIT:
            return
        is_maker = rng.random() < 0.4
        order = self._order(SPOT, rules, is_buy, price if is_maker else 0, quantity, time_ms)
        fills = []
        holding = self.account.holding("USDT" if is_buy else rules.base)
        order.locked = quantity * price * 102 // 100 // UNIT if is_buy else quantity
        holding.free -= order.locked
        holding.locked += order.locked
        for part in self._parts(quantity, rules):
            step = 0 if is_maker else rng.randint(-2, 2) * rules.tick
            trade = self._trade(SPOT, rules, price + step, part, time_ms, is_buy == is_maker)
            fills.append(
                self.bank.spot.fill(self.account, order, trade, part, rules, is_maker=is_maker)
            )
            time_ms += rng.choice((0, 0, 3, 250))
        for fill in fills:
            fill.is_forgotten = is_forgotten

    def _futures_order(self, time_ms: int) -> None:
        if not self.usdm:
            return
        rng, rules = self.rng, self.rng.choice(self.usdm)
        price = self.prices.at(rules, time_ms)
        probe = self._order(USDM, rules, True, 0, 0, time_ms)
        position = self._desk.position(self.account, probe)
        del self.account.orders[probe.id]
        if position.amount and rng.random() < 0.65:
            is_buy, quantity = position.amount < 0, abs(position.amount)
            if rng.random() < 0.15:
                quantity = quantity * rng.randint(110, 180) // 100  # a flip
        else:
            is_buy = rng.random() < 0.55
            quantity = int(rng.lognormvariate(7.2, 0.6)) * UNIT * UNIT // price
        quantity = quantity // rules.step * rules.step
        if quantity * price // UNIT < 10 * UNIT:
            return
        is_maker = rng.random() < 0.3
        order = self._order(USDM, rules, is_buy, price if is_maker else 0, quantity, time_ms)
        for part in self._parts(quantity, rules):
            trade = self._trade(USDM, rules, price, part, time_ms, is_buy == is_maker)
            self._desk.fill(self.account, order, trade, part, rules, is_maker=is_maker)
            time_ms += rng.choice((0, 40, 900))

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
        rules = self.rng.choice(self.spot)
        price = self.prices.at(rules, time_ms)
        paid = 150 * UNIT
        if self._free("USDT") < paid:
            return
        got = paid * UNIT // price
        number = self.bank.next_id()
        self._move("convert", "USDT", -paid, time_ms)
        self._move(
            "convert",
            rules.base,
            got,
            time_ms,
            quoteId=f"q{number}",
            orderId=number,
            fromAsset="USDT",
            fromAmount=to_text(paid),
            toAsset=rules.base,
            toAmount=to_text(got),
            ratio=to_text(got * UNIT // paid),
            inverseRatio=to_text(price),
        )

    def _dust(self, time_ms: int) -> None:
        """A remainder of a coin becomes BNB, less 2 %."""
        found = [rules for rules in self.spot if rules.base != "BNB" and self._free(rules.base)]
        bnb = next((rules for rules in self.spot if rules.base == "BNB"), None)
        if not found or bnb is None:
            return
        rules = self.rng.choice(found)
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

    def _order(
        self, market: str, rules: Listing, is_buy: bool, price: int, quantity: int, time_ms: int
    ) -> Order:
        order = Order(
            market,
            rules.symbol,
            self.bank.next_id(),
            f"demo{self.bank.next_id()}",
            "BUY" if is_buy else "SELL",
            "LIMIT" if price else "MARKET",
            "GTC",
            price,
            quantity,
            time_ms,
            time_ms,
        )
        self.account.orders[order.id] = order
        return order

    def _parts(self, quantity: int, rules: Listing) -> list[int]:
        """A few fills of whole steps."""
        steps, count = quantity // rules.step, self.rng.choice((1, 1, 2, 2, 3, 4))
        if steps < count:
            return [quantity]
        cuts = sorted(self.rng.sample(range(1, steps), count - 1)) if count > 1 else []
        edges = [0, *cuts, steps]
        return [(b - a) * rules.step for a, b in zip(edges, edges[1:], strict=False)]

    def _trade(
        self, market: str, rules: Listing, price: int, quantity: int, time_ms: int, maker: bool
    ) -> Trade:
        """A trade of the past, with an id that grows with time; the market's own, where its past is
        known."""
        key, past = (market, rules.symbol), _past_of(self.bank, market, rules.symbol)
        wish = 1 + (time_ms - self.start_ms) * MOST_ID // (DAYS * DAY_MS)
        if past is not None:
            wish = past.id_at(time_ms * 1000)
        trade_id = max(wish, self._last_ids.get(key, 0) + 1)
        self._last_ids[key] = trade_id
        trade = Trade(trade_id, price, quantity, time_ms * 1000, maker, trade_id)
        if past is not None:
            past.own.setdefault(trade_id, trade)
        return trade

    def _price_then(self, asset: str, quote: str) -> int:
        rules = next((r for r in self.spot if (r.base, r.quote) == (asset, quote)), None)
        return self.prices.at(rules, self._at_ms) if rules else 0

    def _free(self, asset: str) -> int:
        return self.account.holding(asset).free
