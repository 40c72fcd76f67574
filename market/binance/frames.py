"""Frames of Binance's WebSocket connections, as they are read; its letters stop here.

Source: binance-spot-api-docs web-socket-streams.md (2026-07-21).
"""

from collections.abc import Mapping

import msgspec

from market.binance.rest_rows import ErrorBody


class TradeFrame(
    msgspec.Struct,
    gc=False,
    rename={
        "id": "t",
        "price": "p",
        "quantity": "q",
        "time": "T",
        "is_buyer_maker": "m",
        "event_time": "E",
        "kind": "X",
    },
):
    """`<symbol>@trade`. Times in the unit the connection asked for; `X` exists on futures only."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    event_time: int
    kind: str = "MARKET"


class AggTradeFrame(
    msgspec.Struct,
    gc=False,
    rename={
        "id": "a",
        "price": "p",
        "quantity": "q",
        "time": "T",
        "is_buyer_maker": "m",
        "event_time": "E",
        "kind": "X",
    },
):
    """USD-M `<symbol>@aggTrade`: trades of 100 ms at one price and side, under the aggregate's id.

    `q` and not `nq` (without RPI orders, since 2025-12-31): whoever took an RPI order was a taker
    too, the exchange's own candles count it, and archives and old rows know only `q`, so that
    stream, REST and archive give the same bars.
    """

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    event_time: int
    kind: str = "MARKET"


class DepthFrame(
    msgspec.Struct,
    gc=False,
    rename={
        "first_id": "U",
        "last_id": "u",
        "previous_id": "pu",
        "event_time": "E",
        "bids": "b",
        "asks": "a",
    },
):
    """`<symbol>@depth@100ms`; `pu` exists on futures only."""

    first_id: int
    last_id: int
    event_time: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    previous_id: int | None = None


class TickerFrame(
    msgspec.Struct,
    gc=False,
    rename={
        "event_time": "E",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "base": "v",
        "quote": "q",
    },
):
    """`<symbol>@miniTicker`: the last 24 hours."""

    event_time: int
    open: str
    high: str
    low: str
    close: str
    base: str
    quote: str


class MarkFrame(
    msgspec.Struct,
    gc=False,
    rename={"event_time": "E", "mark": "p", "index": "i", "rate": "r", "next_funding": "T"},
):
    """USD-M `<symbol>@markPrice@1s`; times in epoch ms, the rate that is coming."""

    event_time: int
    mark: str
    index: str
    rate: str
    next_funding: int


class LiquidationOrder(
    msgspec.Struct,
    gc=False,
    rename={"symbol": "s", "quantity": "z", "price": "ap", "time": "T"},
):
    """A position that the exchange closed: what was filled, at which average, when (epoch ms)."""

    symbol: str
    quantity: str
    price: str
    time: int


class LiquidationEvent(msgspec.Struct, gc=False, rename={"order": "o"}):
    order: LiquidationOrder


class LiquidationFrame(msgspec.Struct, gc=False):
    """`!forceOrder@arr`: of each symbol the newest one of a second, at most."""

    data: LiquidationEvent


class BookTickerFrame(
    msgspec.Struct,
    gc=False,
    rename={"bid": "b", "bid_quantity": "B", "ask": "a", "ask_quantity": "A"},
):
    """`<symbol>@bookTicker`: the best prices; on spot without any time."""

    bid: str
    bid_quantity: str
    ask: str
    ask_quantity: str


class KlineBody(
    msgspec.Struct,
    gc=False,
    rename={
        "open_time": "t",
        "first_id": "f",
        "last_id": "L",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "base": "v",
        "trades": "n",
        "is_closed": "x",
        "quote": "q",
        "base_buy": "V",
        "quote_buy": "Q",
    },
):
    """`k` of `<symbol>@kline_1m`."""

    open_time: int
    first_id: int
    last_id: int
    open: str
    high: str
    low: str
    close: str
    base: str
    trades: int
    is_closed: bool
    quote: str
    base_buy: str
    quote_buy: str


class KlineFrame(msgspec.Struct, gc=False):
    k: KlineBody


class CombinedKline(msgspec.Struct, gc=False):
    data: KlineFrame


class CombinedTrade(msgspec.Struct, gc=False):
    data: TradeFrame


class CombinedBookTicker(msgspec.Struct, gc=False):
    data: BookTickerFrame


class CombinedAggTrade(msgspec.Struct, gc=False):
    data: AggTradeFrame


class CombinedDepth(msgspec.Struct, gc=False):
    data: DepthFrame


class CombinedTicker(msgspec.Struct, gc=False):
    data: TickerFrame


class CombinedMark(msgspec.Struct, gc=False):
    data: MarkFrame


class Envelope(msgspec.Struct, gc=False):
    """Any frame of a combined connection: a stream's payload, or an answer to a control message."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    id: int | str | None = None
    result: list[str] | None = None
    code: int | None = None
    msg: str = ""
    # how futures refuse a control message
    error: ErrorBody | None = None


decode_trade = msgspec.json.Decoder(CombinedTrade).decode
decode_agg_trade = msgspec.json.Decoder(CombinedAggTrade).decode
decode_depth = msgspec.json.Decoder(CombinedDepth).decode
decode_ticker = msgspec.json.Decoder(CombinedTicker).decode
decode_mark = msgspec.json.Decoder(CombinedMark).decode
decode_liquidation = msgspec.json.Decoder(LiquidationFrame).decode
decode_book_ticker = msgspec.json.Decoder(CombinedBookTicker).decode
decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_kline = msgspec.json.Decoder(CombinedKline).decode


def control(method: str, streams: list[str], request_id: int) -> bytes:
    message: Mapping[str, object] = {"method": method, "params": streams, "id": request_id}
    return msgspec.json.encode(message)
