"""Binance's WebSocket frames and REST rows, decoded into our words; its letters stop here.

Sources: binance-spot-api-docs web-socket-streams.md and rest-api.md (2026-07-21).
"""

import time
from collections.abc import Mapping

import msgspec

from lib.decimals import scaled
from market.book.levels import DepthChange, Level, Mark, Snapshot, Ticker
from market.flow.klines import Kline
from market.flow.trades import Trade


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


class DepthBody(msgspec.Struct, gc=False, rename={"last_id": "lastUpdateId", "event_time": "E"}):
    """`GET …/depth`; spot says no time."""

    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    event_time: int = 0


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


class FundingRow(
    msgspec.Struct,
    gc=False,
    rename={"time": "fundingTime", "rate": "fundingRate", "mark": "markPrice"},
):
    """A row of `GET /fapi/v1/fundingRate`."""

    time: int
    rate: str
    mark: str = ""


class OpenInterestRow(msgspec.Struct, gc=False, rename={"open_interest": "openInterest"}):
    """`GET /fapi/v1/openInterest`: contracts that are open, in the base coin."""

    open_interest: str
    time: int


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


# A row of `GET /api/v3/klines`: open time, o, h, l, c, base, close time, quote, trades, taker base,
# taker quote, unused
KlineRow = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


class TradeRow(
    msgspec.Struct, gc=False, rename={"quantity": "qty", "is_buyer_maker": "isBuyerMaker"}
):
    """A row of `GET /api/v3/trades` and `historicalTrades`."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    kind: str = "MARKET"


class AggTradeRow(
    msgspec.Struct,
    gc=False,
    rename={"id": "a", "price": "p", "quantity": "q", "time": "T", "is_buyer_maker": "m"},
):
    """A row of `GET /fapi/v1/aggTrades`."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    kind: str = "MARKET"


class AggregateRow(
    msgspec.Struct,
    gc=False,
    rename={
        "id": "a",
        "price": "p",
        "quantity": "q",
        "first_id": "f",
        "last_id": "l",
        "time": "T",
        "is_buyer_maker": "m",
    },
):
    """A row of `GET …/aggTrades` with the ids of the single trades inside."""

    id: int
    price: str
    quantity: str
    first_id: int
    last_id: int
    time: int
    is_buyer_maker: bool
    kind: str = "MARKET"


class Aggregate(msgspec.Struct, gc=False, frozen=True):
    """What one side took at one price at once: price and quantity in 1e-8, time as it came. What is
    no flow has a quantity of 0."""

    id: int
    first_id: int
    last_id: int
    price: int
    quantity: int
    time: int
    is_buyer_maker: bool


def as_aggregate(row: AggregateRow) -> Aggregate:
    """Raises ValueError for a price or quantity that is no decimal of at most 8 places."""
    quantity = scaled(row.quantity) if row.kind == "MARKET" else 0
    return Aggregate(
        row.id,
        row.first_id,
        row.last_id,
        scaled(row.price),
        quantity,
        row.time,
        row.is_buyer_maker,
    )


def as_trade(row: TradeFrame | TradeRow | AggTradeFrame | AggTradeRow) -> Trade:
    """Raises ValueError for a price or quantity that is no decimal of at most 8 places."""
    price, quantity = scaled(row.price), scaled(row.quantity)
    is_flow = price > 0 and quantity > 0 and row.kind == "MARKET"
    return Trade(row.id, price, quantity, row.time, row.is_buyer_maker, is_flow)


def as_levels(rows: list[tuple[str, str]]) -> list[Level]:
    """Raises ValueError for an amount that is no decimal of at most 8 places."""
    return [(scaled(price), scaled(quantity)) for price, quantity in rows]


def as_depth(frame: DepthFrame) -> DepthChange:
    """Raises ValueError as `as_levels` does."""
    return DepthChange(
        frame.first_id,
        frame.last_id,
        frame.previous_id,
        epoch_ms(frame.event_time),
        as_levels(frame.bids),
        as_levels(frame.asks),
    )


def as_snapshot(body: DepthBody) -> Snapshot:
    """As of now, where the exchange does not say when. Raises ValueError as `as_levels` does."""
    at = epoch_ms(body.event_time) or int(time.time() * 1000)
    return Snapshot(body.last_id, at, as_levels(body.bids), as_levels(body.asks))


def as_ticker(frame: TickerFrame) -> Ticker:
    """Raises ValueError as `as_levels` does."""
    return Ticker(
        epoch_ms(frame.event_time),
        scaled(frame.open),
        scaled(frame.high),
        scaled(frame.low),
        scaled(frame.close),
        scaled(frame.base),
        scaled(frame.quote),
    )


def as_mark(frame: MarkFrame) -> Mark:
    """Raises ValueError as `as_levels` does."""
    return Mark(
        epoch_ms(frame.event_time),
        scaled(frame.mark),
        scaled(frame.index),
        scaled(frame.rate) if frame.rate else 0,
        epoch_ms(frame.next_funding),
    )


def epoch_ms(moment: int) -> int:
    """The exchange's time in ms, whichever unit the connection speaks."""
    return moment // 1000 if moment >= 10**14 else moment


def as_kline(body: KlineBody) -> Kline:
    """Raises ValueError for an amount that is no decimal of at most 8 places."""
    return Kline(
        _minute(body.open_time),
        body.first_id,
        body.last_id,
        body.trades,
        scaled(body.open),
        scaled(body.high),
        scaled(body.low),
        scaled(body.close),
        scaled(body.base),
        scaled(body.base_buy),
        scaled(body.quote),
        scaled(body.quote_buy),
    )


def as_kline_without_ids(row: KlineRow) -> Kline:
    """REST's rows have no ids: -1. Raises ValueError as `as_kline` does."""
    opened, high, low, close, base = map(scaled, row[1:6])
    return Kline(
        _minute(row[0]),
        -1,
        -1,
        row[8],
        opened,
        high,
        low,
        close,
        base,
        scaled(row[9]),
        scaled(row[7]),
        scaled(row[10]),
    )


def _minute(open_time: int) -> int:
    return open_time // (1_000_000 if open_time >= 10**14 else 1000)


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
    error: "ErrorBody | None" = None


class ServerTime(msgspec.Struct):
    serverTime: int


class FirstId(msgspec.Struct, rename={"first_id": "f"}):
    """The first trade id of a row of `GET /api/v3/aggTrades`."""

    first_id: int


class RowId(msgspec.Struct, rename={"aggregate": "a"}):
    """What names a row that cannot be read."""

    id: int | None = None
    aggregate: int | None = None


class ErrorBody(msgspec.Struct):
    code: int = 0
    msg: str = ""


decode_trade = msgspec.json.Decoder(CombinedTrade).decode
decode_agg_trade = msgspec.json.Decoder(CombinedAggTrade).decode
decode_aggregate_rows = msgspec.json.Decoder(list[AggregateRow]).decode
decode_aggregate_row = msgspec.json.Decoder(AggregateRow).decode
decode_agg_trade_rows = msgspec.json.Decoder(list[AggTradeRow]).decode
decode_depth = msgspec.json.Decoder(CombinedDepth).decode
decode_depth_body = msgspec.json.Decoder(DepthBody).decode
decode_ticker = msgspec.json.Decoder(CombinedTicker).decode
decode_mark = msgspec.json.Decoder(CombinedMark).decode
decode_funding_rows = msgspec.json.Decoder(list[FundingRow]).decode
decode_open_interest = msgspec.json.Decoder(OpenInterestRow).decode
decode_liquidation = msgspec.json.Decoder(LiquidationFrame).decode
decode_book_ticker = msgspec.json.Decoder(CombinedBookTicker).decode
decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_kline = msgspec.json.Decoder(CombinedKline).decode
decode_kline_rows = msgspec.json.Decoder(list[KlineRow]).decode
decode_trade_rows = msgspec.json.Decoder(list[TradeRow]).decode
decode_server_time = msgspec.json.Decoder(ServerTime).decode
decode_first_ids = msgspec.json.Decoder(list[FirstId]).decode
decode_agg_trade_row = msgspec.json.Decoder(AggTradeRow).decode
decode_trade_row = msgspec.json.Decoder(TradeRow).decode
decode_kline_row = msgspec.json.Decoder(KlineRow).decode
decode_raw_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
decode_row_id = msgspec.json.Decoder(RowId).decode
decode_error = msgspec.json.Decoder(ErrorBody).decode


def control(method: str, streams: list[str], request_id: int) -> bytes:
    message: Mapping[str, object] = {"method": method, "params": streams, "id": request_id}
    return msgspec.json.encode(message)
