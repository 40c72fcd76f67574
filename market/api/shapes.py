"""What studies and boards of a market are in answers."""

from typing import Any, TypedDict

from lib.openapi import Moment, Money


class ListingRow(TypedDict):
    """As the exchange lists it."""

    market: str
    symbol: str
    base: str
    quote: str
    status: str
    tick_size: Money
    step_size: Money
    min_notional: Money
    filters: Any
    followed: bool


class MarketRow(TypedDict):
    """`delta` is bought minus sold of the last 1m, 5m and 1h, `cvd` of the last hour by minute."""

    market: str
    symbol: str
    price: Money | None
    change_pct: str | None
    delta: dict[str, Money | None]
    cvd: list[Money]


class StudyHead(TypedDict):
    symbol: str
    market: str
    venue: str
    interval: str
    complete: bool


class IndicatorsAnswer(StudyHead):
    """By indicator a point for each bar that has a value: `t` and its lines."""

    series: dict[str, list[dict[str, float]]]


class PriceRow(TypedDict):
    """Base bought and sold by takers at prices from `price` to the next row's."""

    price: Money
    buy: Money
    sell: Money


class ProfileAnswer(StudyHead):
    rows: list[PriceRow]


class MarkRow(TypedDict):
    """`kind` divergence or absorption, `side` what it speaks for, with the trade ids behind."""

    t: Moment
    kind: str
    side: str
    first_id: int | None
    last_id: int | None


class MarksAnswer(StudyHead):
    rows: list[MarkRow]


class TapeHead(TypedDict):
    symbol: str
    market: str
    venue: str


class BookAnswer(TapeHead):
    """At most 20 of [price, quantity] a side, best first; `imbalance` -1 to 1."""

    t: Moment
    last_update_id: int
    bids: list[list[Money]]
    asks: list[list[Money]]
    spread: Money | None
    mid: Money | None
    imbalance: Money | None


class TickerAnswer(TapeHead):
    t: Moment
    last: Money
    change: Money
    change_pct: str | None


class MarkNow(TypedDict, total=False):
    """What stands just now; null without a collector."""

    t: Moment


class MarkMinute(TypedDict):
    t: Moment
    mark: Money
    index: Money


class MarkPriceAnswer(TapeHead):
    now: MarkNow | None
    rows: list[MarkMinute]


class FundingRow(TypedDict):
    t: Moment
    rate: Money
    mark: Money | None


class FundingAnswer(TapeHead):
    now: MarkNow | None
    rows: list[FundingRow]
