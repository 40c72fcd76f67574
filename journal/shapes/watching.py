"""Watch-lists as the API tells them."""

from typing import TypedDict

from journal.shapes.asked import WatchedMarket
from lib.openapi import Money


class WatchlistRow(TypedDict):
    id: int
    name: str
    position: int
    markets: list[WatchedMarket]


class WatchedRow(TypedDict):
    """`delta` is bought minus sold of the last 1m, 5m and 1h, `cvd` of the last hour by minute."""

    market: str
    symbol: str
    price: Money | None
    change_pct: str | None
    delta: dict[str, Money | None]
    cvd: list[Money]


class WatchlistWhole(WatchlistRow):
    rows: list[WatchedRow]
