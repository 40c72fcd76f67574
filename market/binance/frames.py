"""Binance's WebSocket frames and REST rows, decoded into our words; its letters stop here.

Sources: binance-spot-api-docs web-socket-streams.md and rest-api.md (2026-07-21).
"""

from collections.abc import Mapping

import msgspec

from lib.decimals import scaled
from market.flow.klines import Kline
from market.flow.trades import Trade


class TradeFrame(
    msgspec.Struct,
    gc=False,
    rename={
        "id": "t", "price": "p", "quantity": "q", "time": "T", "is_buyer_maker": "m",
        "event_time": "E", "kind": "X",
    },
):  # fmt: skip
    """`<symbol>@trade`. Times in the unit the connection asked for; `X` exists on futures only."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    event_time: int
    kind: str = "MARKET"


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
        "open_time": "t", "first_id": "f", "last_id": "L", "open": "o", "high": "h", "low": "l",
        "close": "c", "base": "v", "trades": "n", "is_closed": "x", "quote": "q", "base_buy": "V",
        "quote_buy": "Q",
    },
):  # fmt: skip
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


def as_trade(row: TradeFrame | TradeRow) -> Trade:
    """Raises ValueError for a price or quantity that is no decimal of at most 8 places."""
    price, quantity = scaled(row.price), scaled(row.quantity)
    is_flow = price > 0 and quantity > 0 and row.kind == "MARKET"
    return Trade(row.id, price, quantity, row.time, row.is_buyer_maker, is_flow)


def as_kline(body: KlineBody) -> Kline:
    """Raises ValueError for an amount that is no decimal of at most 8 places."""
    return Kline(
        _minute(body.open_time), body.first_id, body.last_id, body.trades, scaled(body.open),
        scaled(body.high), scaled(body.low), scaled(body.close), scaled(body.base),
        scaled(body.base_buy), scaled(body.quote), scaled(body.quote_buy),
    )  # fmt: skip


def as_kline_without_ids(row: KlineRow) -> Kline:
    """REST's rows have no ids: -1. Raises ValueError as `as_kline` does."""
    opened, high, low, close, base = map(scaled, row[1:6])
    return Kline(
        _minute(row[0]), -1, -1, row[8], opened, high, low, close, base,
        scaled(row[9]), scaled(row[7]), scaled(row[10]),
    )  # fmt: skip


def _minute(open_time: int) -> int:
    return open_time // (1_000_000 if open_time >= 10**14 else 1000)


class CombinedTrade(msgspec.Struct, gc=False):
    data: TradeFrame


class CombinedBookTicker(msgspec.Struct, gc=False):
    data: BookTickerFrame


class Envelope(msgspec.Struct, gc=False):
    """Any frame of a combined connection: a stream's payload, or an answer to a control message."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    id: int | str | None = None
    result: list[str] | None = None
    code: int | None = None
    msg: str = ""


class ServerTime(msgspec.Struct):
    serverTime: int


class FirstId(msgspec.Struct, rename={"first_id": "f"}):
    """The first trade id of a row of `GET /api/v3/aggTrades`."""

    first_id: int


class ErrorBody(msgspec.Struct):
    code: int = 0
    msg: str = ""


decode_trade = msgspec.json.Decoder(CombinedTrade).decode
decode_book_ticker = msgspec.json.Decoder(CombinedBookTicker).decode
decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_kline = msgspec.json.Decoder(CombinedKline).decode
decode_kline_rows = msgspec.json.Decoder(list[KlineRow]).decode
decode_trade_rows = msgspec.json.Decoder(list[TradeRow]).decode
decode_server_time = msgspec.json.Decoder(ServerTime).decode
decode_first_ids = msgspec.json.Decoder(list[FirstId]).decode
decode_error = msgspec.json.Decoder(ErrorBody).decode


def control(method: str, streams: list[str], request_id: int) -> bytes:
    message: Mapping[str, object] = {"method": method, "params": streams, "id": request_id}
    return msgspec.json.encode(message)
