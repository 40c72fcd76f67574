"""Frames and rows of the exchange as our own words: exact integers, one unit of time."""

import time

import msgspec

from lib.decimals import scaled
from market.binance.frames import (
    AggTradeFrame,
    DepthFrame,
    KlineBody,
    MarkFrame,
    TickerFrame,
    TradeFrame,
)
from market.binance.rest_rows import AggregateRow, AggTradeRow, DepthBody, KlineRow, TradeRow
from market.book.levels import DepthChange, Level, Mark, Snapshot, Ticker
from market.flow.klines import Kline
from market.flow.ticks import ms_of, ticks_of
from market.flow.trades import Trade


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
        ms_of(frame.event_time),
        as_levels(frame.bids),
        as_levels(frame.asks),
    )


def as_snapshot(body: DepthBody) -> Snapshot:
    """As of now, where the exchange does not say when. Raises ValueError as `as_levels` does."""
    at = ms_of(body.event_time) or int(time.time() * 1000)
    return Snapshot(body.last_id, at, as_levels(body.bids), as_levels(body.asks))


def as_ticker(frame: TickerFrame) -> Ticker:
    """Raises ValueError as `as_levels` does."""
    return Ticker(
        ms_of(frame.event_time),
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
        ms_of(frame.event_time),
        scaled(frame.mark),
        scaled(frame.index),
        scaled(frame.rate) if frame.rate else 0,
        ms_of(frame.next_funding),
    )


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
    return open_time // ticks_of(open_time)
