"""Markout: where the price stood some time after each fill, seen from its side; for a maker it is
what whoever took the other side knew (adverse selection).

    markout   = side x (price after - price of the fill) / price of the fill
    spread    = side x (mid before - price of the fill) / price of the fill
    impact    = markout - spread                    what the price did after the fill
    left      = markout - fee / value               after the fee

`side` is +1 of a purchase, -1 of a sale: above zero is good for whoever made the fill, spread
earned by makers is above zero, spread paid by takers below. It is the realised spread of Huang &
Stoll (1996), turned to the trader's side. Means are weighted by value, so that they are money; as
fills of one trade are not independent, ranges draw whole trades (a ratio's bootstrap, Efron &
Tibshirani 1993, chapter 10).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.findings import LEAST, SEED
from journal.metrics.resampling import ratio_range

# seconds after a fill
HORIZONS = {"1s": 1, "10s": 10, "1m": 60, "5m": 300, "1h": 3600}
BPS = 10_000.0


@dataclass(frozen=True)
class Marked:
    """A fill: `value` and `fee` in money, `mid` before it (None: not known), `size` the band of the
    taker order (empty: not known), `after` the price at each horizon that is known."""

    trade: int
    is_maker: bool
    sign: int
    price: float
    value: float
    fee: float
    mid: float | None
    size: str
    after: Mapping[str, float]

    def gain(self, price: float) -> float:
        """Money, had all of it been marked at a price."""
        return self.sign * (price - self.price) / self.price * self.value


@dataclass(frozen=True)
class Mark:
    """Of one horizon: `bps` with its range is None below 20 trades; `money` is of all its fills."""

    horizon: str
    fills: int
    trades: int
    money: float
    bps: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Marks:
    """A group of fills. `spread_bps` is of those whose mid is known, `fee_bps` of all."""

    role: str
    size: str
    fills: int
    trades: int
    value: float
    spread_bps: float | None
    fee_bps: float
    marks: list[Mark]


def markouts(fills: Sequence[Marked], sizes: Sequence[str]) -> list[Marks]:
    """Makers and takers, each whole and by the size of the taker order, in the order of `sizes`."""
    random = np.random.default_rng(SEED)
    markouts = []
    for role, is_maker in (("maker", True), ("taker", False)):
        own = [fill for fill in fills if fill.is_maker == is_maker]
        if own:
            markouts.append(_marks(role, "", own, random))
        for size in sizes:
            of_size = [fill for fill in own if fill.size == size]
            if of_size:
                markouts.append(_marks(role, size, of_size, random))
    return markouts


def _marks(role: str, size: str, fills: Sequence[Marked], random: np.random.Generator) -> Marks:
    value = sum(fill.value for fill in fills)
    with_mid = [(fill, fill.mid) for fill in fills if fill.mid is not None]
    mid_value = sum(fill.value for fill, _mid in with_mid)
    earned = sum(fill.gain(mid) for fill, mid in with_mid)
    return Marks(
        role=role,
        size=size,
        fills=len(fills),
        trades=len({fill.trade for fill in fills}),
        value=value,
        spread_bps=BPS * earned / mid_value if mid_value else None,
        fee_bps=BPS * sum(fill.fee for fill in fills) / value if value else 0.0,
        marks=[_mark(name, fills, random) for name in HORIZONS],
    )


def _mark(horizon: str, fills: Sequence[Marked], random: np.random.Generator) -> Mark:
    known = [fill for fill in fills if horizon in fill.after]
    gains = by_trade(known, lambda fill: fill.gain(fill.after[horizon]))
    values = by_trade(known, lambda fill: fill.value)
    money, value = sum(gains.values()), sum(values.values())
    if len(gains) < LEAST or not value:
        return Mark(horizon, len(known), len(gains), money, None, None, None)
    low, high = ratio_range(
        np.array(list(gains.values())), np.array([values[key] for key in gains]), random
    )
    return Mark(horizon, len(known), len(gains), money, BPS * money / value, BPS * low, BPS * high)


def by_trade(fills: Iterable[Marked], measure: Callable[[Marked], float]) -> dict[int, float]:
    sums: dict[int, float] = {}
    for fill in fills:
        sums[fill.trade] = sums.get(fill.trade, 0.0) + measure(fill)
    return sums


def size_of_other_side(value: float, taken: Sequence[float], edges: Sequence[float]) -> int | None:
    """The band of the taker order that a maker's fill of `value` was a part of, from what taker
    orders of its side traded in the fill's second, by band (`edges`: the lower ones of bands 1 on).
    None where more than one band may be it, or none."""
    tops = [*edges, float("inf")]
    least = value * (1 - 1e-9)
    fitting = [n for n, sum_ in enumerate(taken) if sum_ >= least and tops[n] > least]
    return fitting[0] if len(fitting) == 1 else None
