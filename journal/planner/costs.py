"""What each source of a tape's day costs, and which is the cheapest. Pure.

Weight and bytes are both turned into seconds: how long our share of the exchange's budget takes to
earn the weight, how long a file takes to load and read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Source = Literal["aggregates", "trades", "file"]

PAGE = 1000
# weight of a page; futures tell single trades by id to nobody
AGGREGATES = {"spot": 4, "usdm": 20}
TRADES = {"spot": 25}
# Futures remember their aggregates for two days, with room for a slow way there.
FUTURES_REMEMBER = timedelta(hours=46)
# A day's file is there the next day; some hours for its making.
FILE_AFTER = timedelta(hours=4)
# Loading and reading, measured on two cores (benchmarks/import_vision.py) with room.
BYTES_A_SECOND = 3_000_000
FILE_SECONDS = 1.0
# Where nobody knows how much was traded in a minute.
TRADES_A_MINUTE = 1_000


@dataclass(frozen=True)
class Offer:
    """One way to a day's bands; `single` tells whether it knows single trades."""

    source: Source
    seconds: float
    weight: int = 0
    size: int = 0


def rest_offers(
    market: str,
    trades: Sequence[int],
    age: timedelta,
    weight_a_second: float,
    *,
    wants_trades: bool,
) -> list[Offer]:
    """Ways over REST; `trades` are how many were traded in each stretch, `age` how long ago the
    oldest of them begins."""
    requests = sum(count // PAGE + 1 for count in trades)
    offers = []
    is_remembered = market == "spot" or age < FUTURES_REMEMBER
    if is_remembered and not (wants_trades and market == "spot"):
        weight = requests * AGGREGATES[market]
        offers.append(Offer("aggregates", weight / weight_a_second, weight))
    if market in TRADES:
        # where the first id is, and what lies behind the end
        weight = (requests + 2 * len(trades)) * TRADES[market]
        offers.append(Offer("trades", weight / weight_a_second, weight))
    return sorted(offers, key=lambda offer: offer.seconds)


def file_offer(size: int) -> Offer:
    return Offer("file", FILE_SECONDS + size / BYTES_A_SECOND, size=size)


def may_have_file(day_ended: timedelta) -> bool:
    """So long after a day's end its file is there."""
    return day_ended >= FILE_AFTER


def is_worth_a_look(offers: Sequence[Offer]) -> bool:
    """Whether to ask how large the file is: not where REST is at hand and quick anyway."""
    return not offers or offers[0].seconds > FILE_SECONDS


def cheapest_first(offers: Sequence[Offer]) -> list[Offer]:
    return sorted(offers, key=lambda offer: offer.seconds)
