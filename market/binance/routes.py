"""Which connection carries which stream of an instrument.

Spot: one kind of connection for everything, in microseconds. USD-M: since 2026-04-23 trades,
candles and marks come on `/market`, books on `/public`; a stream on the wrong route is accepted
and stays silent (reference: developers.binance.com, Important-WebSocket-Change-Notice).
"""

from typing import NamedTuple

from market.instruments import InstrumentKey

ADDRESSES = {
    "spot": {"market": "/stream?timeUnit=MICROSECOND&streams="},
    "usdm": {"market": "/market/stream?streams=", "public": "/public/stream?streams="},
}


class Streams(NamedTuple):
    """Names of an instrument's streams; `mark` is empty on spot."""

    trades: bytes
    kline: bytes
    ticker: bytes
    mark: bytes
    best: bytes
    depth: bytes


def addresses(market: str, base_url: str) -> dict[str, str]:
    """Route -> address up to the streams' names."""
    return {route: f"{base_url}{path}" for route, path in ADDRESSES[market].items()}


def books_route(market: str) -> str:
    return "public" if market == "usdm" else "market"


def streams_of(key: InstrumentKey) -> Streams:
    is_usdm = key.market == "usdm"
    trades = "aggTrade" if is_usdm else "trade"
    kinds = (trades, "kline_1m", "miniTicker", "markPrice@1s", "bookTicker", "depth@100ms")
    names = Streams(*(f"{key.symbol.lower()}@{kind}".encode() for kind in kinds))
    return names if is_usdm else names._replace(mark=b"")
