"""What REST answers about markets, row by row, as it is read.

Source: binance-spot-api-docs rest-api.md (2026-07-21); Binance's own letters stand here only.
"""

import msgspec


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


class DepthBody(msgspec.Struct, gc=False, rename={"last_id": "lastUpdateId", "event_time": "E"}):
    """`GET …/depth`; spot says no time."""

    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    event_time: int = 0


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


decode_aggregate_rows = msgspec.json.Decoder(list[AggregateRow]).decode
decode_aggregate_row = msgspec.json.Decoder(AggregateRow).decode
decode_agg_trade_rows = msgspec.json.Decoder(list[AggTradeRow]).decode
decode_depth_body = msgspec.json.Decoder(DepthBody).decode
decode_funding_rows = msgspec.json.Decoder(list[FundingRow]).decode
decode_open_interest = msgspec.json.Decoder(OpenInterestRow).decode
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
