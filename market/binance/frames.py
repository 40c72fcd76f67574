"""Binance's WebSocket frames and REST rows, decoded into our words; its letters stop here.

Sources: binance-spot-api-docs web-socket-streams.md and rest-api.md (2026-07-21).
"""

from collections.abc import Mapping

import msgspec

from lib.decimals import scaled
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


class ErrorBody(msgspec.Struct):
    code: int = 0
    msg: str = ""


decode_trade = msgspec.json.Decoder(CombinedTrade).decode
decode_book_ticker = msgspec.json.Decoder(CombinedBookTicker).decode
decode_envelope = msgspec.json.Decoder(Envelope).decode
decode_trade_rows = msgspec.json.Decoder(list[TradeRow]).decode
decode_error = msgspec.json.Decoder(ErrorBody).decode


def control(method: str, streams: list[str], request_id: int) -> bytes:
    message: Mapping[str, object] = {"method": method, "params": streams, "id": request_id}
    return msgspec.json.encode(message)
