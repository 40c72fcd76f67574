"""A market that looks like one: bursts, heavy-tailed sizes, sweeps that share one time, regimes."""

import random
from dataclasses import dataclass

from simulator.amounts import UNIT, to_units

Row = tuple[int, int, int, bool]


@dataclass(frozen=True)
class Listing:
    """A symbol's rules and where its price starts; amounts in units of 1e-8."""

    symbol: str
    base: str
    quote: str
    price: int
    tick: int
    step: int
    orders_per_second: float


KNOWN = {
    "BTCUSDT": ("BTC", "USDT", "95000", "0.01", "0.00001", 9.0),
    "ETHUSDT": ("ETH", "USDT", "3300", "0.01", "0.0001", 7.0),
    "SOLUSDT": ("SOL", "USDT", "210", "0.01", "0.001", 5.0),
    "BNBUSDT": ("BNB", "USDT", "880", "0.01", "0.001", 4.0),
    "ETHBTC": ("ETH", "BTC", "0.0347", "0.00001", "0.0001", 2.0),
}
QUOTES = ("FDUSD", "USDT", "USDC", "BTC", "ETH", "BNB", "EUR", "TRY")


def listing(symbol: str) -> Listing:
    """Known symbols have their own rules; any other gets plausible ones from its name."""
    if symbol in KNOWN:
        base, quote, price, tick, step, rate = KNOWN[symbol]
    else:
        quote = next((q for q in QUOTES if symbol.endswith(q) and symbol != q), "USDT")
        base = symbol.removesuffix(quote) or symbol
        rng = random.Random(symbol)
        price = f"{10 ** rng.uniform(-1, 2):.4f}"
        tick, step, rate = "0.0001", "0.1", 3.0
    return Listing(symbol, base, quote, to_units(price), to_units(tick), to_units(step), rate)


class Market:
    """One symbol's taker orders. `advance` returns the trades that fall due, oldest first."""

    def __init__(self, rules: Listing, seed: int, price: int | None = None, pace: float = 1.0):
        self.rules = rules
        self.rng = random.Random(f"{seed}:{rules.symbol}:{price}")
        self.price = price or rules.price
        self.anchor = self.price
        self.spread = rules.tick
        self.drift = 0.0
        self.heat = 1.0
        self._pace = pace
        self._regime_ends = 0
        self._next: int | None = None

    @property
    def bid(self) -> int:
        return self.price

    @property
    def ask(self) -> int:
        return self.price + self.spread

    def advance(self, now_us: int) -> list[Row]:
        rows: list[Row] = []
        if self._next is None:
            self._next = now_us
        while self._next <= now_us:
            self._change_regime(self._next)
            rows += self._order(self._next)
            rate = self.rules.orders_per_second * self.heat * self._pace
            self._next += max(1, int(self.rng.expovariate(rate) * 1_000_000))
        return rows

    def _change_regime(self, now_us: int) -> None:
        """Quiet, ordinary and hot spells with their own drift; now and then a burst."""
        rng = self.rng
        if now_us >= self._regime_ends:
            self._regime_ends = now_us + int(rng.uniform(5, 60) * 1_000_000)
            self.drift = rng.gauss(0, 0.25) - 4.0 * (self.price / self.anchor - 1)
            self.heat = rng.choice((0.3, 0.7, 1.0, 1.0, 2.0, 5.0))
        if rng.random() < 0.003:
            self.heat = min(self.heat * 6, 12.0)
            self._regime_ends = now_us + int(rng.uniform(0.5, 3) * 1_000_000)

    def _order(self, time_us: int) -> list[Row]:
        """One taker order: it eats level after level until it is filled, all at one time."""
        rng, rules = self.rng, self.rules
        is_buy = rng.random() < 0.5 + max(-0.35, min(0.35, self.drift * 0.3))
        value = min(rng.lognormvariate(5.2, 2.1), 2_000_000.0) * _quote_scale(rules.quote)
        wanted = max(rules.step, int(value * UNIT / self.price * UNIT) // rules.step * rules.step)
        price = self.ask if is_buy else self.bid
        rows: list[Row] = []
        while wanted > 0 and len(rows) < 200:
            depth_value = rng.lognormvariate(7.0, 1.4) * _quote_scale(rules.quote)
            resting = max(
                rules.step, int(depth_value * UNIT / price * UNIT) // rules.step * rules.step
            )
            quantity = min(wanted, resting)
            rows.append((price, quantity, time_us, not is_buy))
            wanted -= quantity
            if wanted > 0 and rng.random() < 0.7:
                move = rules.tick * rng.randint(1, 4)
                price = price + move if is_buy else max(rules.tick, price - move)
        self._settle(price, is_buy)
        return rows

    def _settle(self, price: int, is_buy: bool) -> None:
        """Where the best prices stand after an order."""
        rng, tick = self.rng, self.rules.tick
        self.spread = tick * rng.choice((1, 1, 1, 1, 2, 3))
        bid = price - self.spread if is_buy else price
        step = max(1, bid // tick // 20_000)
        bid += tick * rng.randint(-step, step) if rng.random() < 0.3 else 0
        self.price = max(tick, bid)


def _quote_scale(quote: str) -> float:
    return {"BTC": 1 / 95_000, "ETH": 1 / 3300, "BNB": 1 / 880}.get(quote, 1.0)
