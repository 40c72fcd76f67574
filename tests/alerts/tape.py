"""A tape in Redis as a collector leaves it, second by second, without a collector."""

from collections.abc import Sequence

import redis
from django.conf import settings

from lib.decimals import QUOTE_UNIT, UNIT
from market.flow.bars import Bar
from market.hot import keys
from market.hot.codec import BigOrderRecord, GapRecord, bar_fields, encode_gap, encode_order
from market.instruments import InstrumentKey

KEY = InstrumentKey("simulator", "spot", "BTCUSDT")
# a Monday in November 2026, epoch s
START = 1_795_000_000


def second(at: int, *prices: float, buy: int = 0, sell: int = 0) -> Bar:
    """`at` seconds after START."""
    bar = Bar(START + at)
    scaled = [round(price * UNIT) for price in prices]
    bar.open, bar.close, bar.high, bar.low = scaled[0], scaled[-1], max(scaled), min(scaled)
    bar.trades, bar.first_id, bar.last_id = len(scaled), 10 * at, 10 * at + len(scaled) - 1
    bar.quote_buy, bar.quote_sell = buy * QUOTE_UNIT, sell * QUOTE_UNIT
    return bar


class Tape:
    """What a collector would have written; `show` makes it known up to a second."""

    def __init__(self, key: InstrumentKey = KEY) -> None:
        self.key = key
        self.client = redis.Redis.from_url(settings.REDIS_URL)

    def show(self, bars: Sequence[Bar], covered: int) -> None:
        """`covered` seconds after START are whole."""
        with self.client.pipeline() as pipe:
            for bar in bars:
                pipe.hset(keys.bar(self.key, "1s", bar.time), mapping=bar_fields(bar))
                pipe.zadd(keys.bars(self.key, "1s"), {str(bar.time): bar.time})
            pipe.hset(
                keys.state(self.key),
                mapping={
                    "last_id": "1",
                    "revision": "0",
                    "newest": str(START + covered),
                    "covered_from": str((START - 7200) * 1000),
                    "covered_to": str((START + covered) * 1000),
                    "ticks": "1000000",
                    "sweep": "",
                    "hot_from": str(START - 7200),
                },
            )
            pipe.execute()

    def open_gap(self, start: int, end: int) -> None:
        gap = GapRecord(1, 9, (START + start) * 1000, (START + end) * 1000, "test", "open")
        self.client.hset(keys.gaps(self.key), "1", encode_gap(gap).decode())

    def fill_gap(self) -> None:
        self.client.delete(keys.gaps(self.key))

    def order(self, at: float, side: str, value: str) -> None:
        record = BigOrderRecord(int((START + at) * 1000), side, value, "100")
        self.client.lpush(keys.big_orders(self.key), encode_order(record))
