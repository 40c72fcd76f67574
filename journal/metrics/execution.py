"""Limit or market, from what the tape would have filled.

A market entry is asked: had a limit order lain at the best price of one's own side (`near`) from
then on, and been replaced by a market order after a minute, what would have been paid? It is filled
only where the price went through it (a queue's place is not known); where the price only touched
it, that cannot be told, and it counts as not filled. A limit entry is asked what a market order
would have paid when the limit order was made.

    saved = side x (paid - otherwise paid) / paid + fees saved          in basis points of the value

Above zero, the other way would have been cheaper. Limit orders that were never filled are not in
it: what they missed speaks against them. Ranges are of whole orders (`resampling.mean_range`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from journal.metrics.findings import LEAST, SEED
from journal.metrics.resampling import mean_range

WAIT_SECONDS = 60
BPS = 10_000.0
MARKET, LIMIT = "market", "limit"


@dataclass(frozen=True)
class Entry:
    """One order's entry: `price` is its mean, `near` and `far` the best prices of the own and the
    other side when it was made, fees as shares of the value."""

    sign: int
    price: float
    near: float
    far: float
    maker_fee: float
    taker_fee: float


@dataclass(frozen=True)
class Saved:
    """Of one order, what the other way would have saved: `is_filled`: the limit would have been."""

    bps: float
    is_filled: bool
    is_touched: bool


def by_limit(entry: Entry, low: float, high: float, later: float) -> Saved:
    """Of a market entry; the extremes of the minute behind it, and the middle price at its end."""
    side = low if entry.sign > 0 else high
    through = entry.sign * (entry.near - side)
    is_filled, is_touched = through > 0, through == 0
    half = abs(entry.far - entry.near) / 2
    paid = entry.near if is_filled else later + entry.sign * half
    fee = entry.maker_fee if is_filled else entry.taker_fee
    saved = entry.sign * (entry.price - paid) / entry.price + entry.taker_fee - fee
    return Saved(BPS * saved, is_filled, is_touched)


def by_market(entry: Entry) -> Saved:
    """Of a limit entry."""
    saved = entry.sign * (entry.price - entry.far) / entry.price
    return Saved(
        BPS * (saved + entry.maker_fee - entry.taker_fee), is_filled=True, is_touched=False
    )


@dataclass(frozen=True)
class Advice:
    """`saved` is None below 20 orders; `filled` and `touched` as shares of them."""

    name: str
    count: int
    saved: float | None
    low: float | None
    high: float | None
    filled: float
    touched: float


def advise(groups: Mapping[str, Sequence[Saved]]) -> list[Advice]:
    """By the name of each group, in their order."""
    random = np.random.default_rng(SEED)
    advice = []
    for name, orders in groups.items():
        values = np.array([order.bps for order in orders])
        is_enough = len(orders) >= LEAST
        low, high = mean_range(values, random) if is_enough else (None, None)
        advice.append(
            Advice(
                name=name,
                count=len(orders),
                saved=float(values.mean()) if is_enough else None,
                low=low,
                high=high,
                filled=sum(order.is_filled for order in orders) / len(orders),
                touched=sum(order.is_touched for order in orders) / len(orders),
            )
        )
    return advice
