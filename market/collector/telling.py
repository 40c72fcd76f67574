"""What a write tells those who watch: bars and big orders as ready-made text, by topic."""

from collections.abc import Iterable
from typing import NamedTuple

from lib.decimals import QUOTE_PLACES, text
from market.answers import live_payload
from market.flow.bands import BandSet
from market.flow.bars import Bar
from market.flow.tape import BigOrder
from market.hot import keys
from market.hot.codec import BigOrderRecord, encode_order
from market.instruments import InstrumentKey

LENGTHS = {"1s": 1, "1m": 60}


class Standing(NamedTuple):
    """How far a tape is known, and its newest trade; epoch ms."""

    covered_from: int
    covered_to: int
    last_trade_ms: int


def bar_messages(
    tape: InstrumentKey, bands: BandSet, interval: str, bars: Iterable[Bar], standing: Standing
) -> list[tuple[str, str]]:
    """(channel, text) of each bar of `interval`."""
    channel = keys.topic(tape.venue, keys.flow_topic(tape, interval))
    return [(channel, _message(bar, bands, LENGTHS[interval], standing)) for bar in bars]


def _message(bar: Bar, bands: BandSet, length: int, standing: Standing) -> str:
    closed = standing.covered_to >= (bar.time + length) * 1000
    payload = live_payload(
        bar,
        bands,
        time_ms=standing.last_trade_ms,
        closed=closed,
        complete=closed and bar.time * 1000 >= standing.covered_from,
    )
    return f"{bar.time}\n{payload}"


def order_record(big: BigOrder, ticks: int) -> BigOrderRecord:
    """`ticks`: the tape's units of time a second."""
    side = "SELL" if big.is_buyer_maker else "BUY"
    price = text(big.price) if big.price else None
    return BigOrderRecord(big.time // (ticks // 1000), side, text(big.quote, QUOTE_PLACES), price)


def order_message(tape: InstrumentKey, order: BigOrderRecord) -> tuple[str, str]:
    channel = keys.topic(tape.venue, keys.orders_topic(tape))
    data = encode_order(order).decode()
    return channel, f'{order.slot}\n"time":{order.t},"data":{data}}}'
