"""Candles, summed from the tape's trades."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.amounts import UNIT, to_text
from simulator.listing import Listing
from simulator.tape import MARKET, Tape, Trade

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
LENGTHS = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "2h": 7200,
    "4h": 14400,
    "6h": 21600,
    "8h": 28800,
    "12h": 43200,
    "1d": 86400,
    "3d": 259_200,
    "1w": 604_800,
    "1M": 0,
}
# Longer ones would sum up the trades of weeks that are made up one by one.
OF_THE_PAST = {"1s", "1m"}
# The epoch was a Thursday; Binance's weeks begin on Monday.
MONDAY_US = 4 * DAY_US


@dataclass
class Kline:
    """Times in microseconds, base amounts in 1e-8, quote amounts in 1e-16. Without trades the four
    prices are the close before it and the ids -1."""

    open_time: int
    close_time: int
    first_id: int = -1
    last_id: int = -1
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    base: int = 0
    quote: int = 0
    trades: int = 0
    taker_base: int = 0
    taker_quote: int = 0

    def add(self, trade: Trade) -> None:
        if not self.trades:
            self.first_id, self.open, self.high, self.low = (
                trade.id,
                trade.price,
                trade.price,
                trade.price,
            )
        self.last_id, self.close = trade.id, trade.price
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        quote = trade.price * trade.quantity
        self.base += trade.quantity
        self.quote += quote
        self.trades += 1
        if not trade.is_buyer_maker:
            self.taker_base += trade.quantity
            self.taker_quote += quote


def span(time_us: int, interval: str, zone_us: int = 0) -> tuple[int, int]:
    """Open and close time of the candle that holds a moment; `zone_us` moves midnight."""
    local = time_us + zone_us
    if interval == "1M":
        day = datetime.fromtimestamp(local // SECOND_US, UTC)
        start = datetime(day.year, day.month, 1, tzinfo=UTC)
        after = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
        opened, closed = (int(moment.timestamp()) * SECOND_US for moment in (start, after))
    else:
        length = LENGTHS[interval] * SECOND_US
        origin = MONDAY_US if interval == "1w" else 0
        opened = (local - origin) // length * length + origin
        closed = opened + length
    return opened - zone_us, closed - zone_us - 1


def empty(time_us: int, interval: str, zone_us: int, price: int) -> Kline:
    """The candle of a moment before its first trade."""
    return Kline(*span(time_us, interval, zone_us), open=price, high=price, low=price, close=price)


def past(
    price_at: Callable[[int], int], interval: str, start: int, end: int, zone_us: int = 0
) -> Iterator[Kline]:
    """Candles of a time before the tape, from a price that is known at each moment (epoch us):
    seven trades each, of amounts that differ; buyers take as the price rises, mostly."""
    opened, closed = span(start, interval, zone_us)
    while opened <= end:
        length = closed - opened
        prices = [price_at(opened + length * part // 6) for part in range(7)]
        kline = Kline(opened, closed, open=prices[0], close=prices[-1], trades=7)
        margin = prices[0] // 1000
        kline.high, kline.low = max(prices) + margin, min(prices) - margin
        for part, price in enumerate(prices):
            chance = (opened // 1_000_000 * 7 + part) * 2_654_435_761 % 2**32
            quantity = (1 + chance % 5) * UNIT
            kline.base, kline.quote = kline.base + quantity, kline.quote + price * quantity
            if (price >= prices[max(0, part - 1)]) != (chance // 5 % 4 == 0):
                kline.taker_base += quantity
                kline.taker_quote += price * quantity
        yield kline
        opened, closed = span(closed + 1, interval, zone_us)


def klines(tape: Tape, interval: str, start: int, end: int, zone_us: int = 0) -> Iterator[Kline]:
    """Candles from the one that opens at `start` to the one that holds `end`, without a break.

    Nothing before the tape's first trade; of a time before it only where a candle is short.
    """
    first = tape.first_at_or_after(start)
    if interval not in OF_THE_PAST:
        first = max(first, tape.first_id)
    has_before = tape.knows(first - 1) and (first > tape.first_id or interval in OF_THE_PAST)
    before = tape.at(first - 1) if has_before else None
    if before is None:
        if first > tape.last_id:
            return
        start = max(start, span(tape.at(first).time, interval, zone_us)[0])
        if start > end:
            return
    price = before.price if before else 0
    current = empty(start, interval, zone_us, price)
    for trade in tape.between(first, tape.first_at_or_after(end + 1) - 1):
        if trade.kind != MARKET:
            continue
        while trade.time > current.close_time:
            yield current
            current = empty(current.close_time + 1, interval, zone_us, current.close)
        current.add(trade)
    while True:
        yield current
        if end <= current.close_time:
            return
        current = empty(current.close_time + 1, interval, zone_us, current.close)


def quote_text(amount: int) -> str:
    return to_text(amount // UNIT)


def row(kline: Kline, rules: Listing, scale: int) -> list[object]:
    """As REST answers it; `scale` is 1 for microseconds and 1000 for milliseconds."""
    price, quantity = rules.price_text, rules.quantity_text
    return [
        kline.open_time // scale,
        price(kline.open),
        price(kline.high),
        price(kline.low),
        price(kline.close),
        quantity(kline.base),
        kline.close_time // scale,
        quote_text(kline.quote),
        kline.trades,
        quantity(kline.taker_base),
        quote_text(kline.taker_quote),
        "0",
    ]


def frame(
    kline: Kline, rules: Listing, interval: str, scale: int, is_closed: bool
) -> dict[str, object]:
    """The `k` of a kline event."""
    price, quantity = rules.price_text, rules.quantity_text
    return {
        "t": kline.open_time // scale,
        "T": kline.close_time // scale,
        "s": rules.symbol,
        "i": interval,
        "f": kline.first_id,
        "L": kline.last_id,
        "o": price(kline.open),
        "c": price(kline.close),
        "h": price(kline.high),
        "l": price(kline.low),
        "v": quantity(kline.base),
        "n": kline.trades,
        "x": is_closed,
        "q": quote_text(kline.quote),
        "V": quantity(kline.taker_base),
        "Q": quote_text(kline.taker_quote),
        "B": "0",
    }
