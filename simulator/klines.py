"""Candles, summed from the tape's trades."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.amounts import UNIT, to_text
from simulator.listing import Listing
from simulator.tape import MARKET, Tape, Trade

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 3600 * SECOND_US
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
# The epoch was a Thursday; Binance's weeks begin on Monday.
MONDAY_US = 4 * DAY_US
# From (inclusive) and to (exclusive), epoch us.
Stretches = Sequence[tuple[int, int]]


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

    def take_in(self, part: "Kline") -> None:
        """A shorter candle of this one's time, in order."""
        if not part.trades:
            return
        if not self.trades:
            self.first_id, self.open, self.high, self.low = (
                part.first_id,
                part.open,
                part.high,
                part.low,
            )
        self.last_id, self.close = part.last_id, part.close
        self.high, self.low = max(self.high, part.high), min(self.low, part.low)
        self.base += part.base
        self.quote += part.quote
        self.trades += part.trades
        self.taker_base += part.taker_base
        self.taker_quote += part.taker_quote


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


def klines(
    tape: Tape,
    interval: str,
    start: int,
    end: int,
    zone_us: int = 0,
    hidden: Stretches = (),
) -> Iterator[Kline]:
    """Candles from the one that opens at `start` to the one that holds `end`, without a break, each
    the sum of its seconds, minutes or hours. Nothing before the first trade that is known.
    `hidden`: stretches of time (a fault) that had no trade."""
    parts = _parts(tape, _grain(interval, zone_us), start, end)
    if hidden:
        parts = (part for part in parts if not is_hidden(part.open_time, hidden))
    price = 0 if is_hidden(start - 1, hidden) else _close_before(tape, start)
    current = empty(start, interval, zone_us, price) if price else None
    for part in parts:
        if current is None:
            current = empty(part.open_time, interval, zone_us, 0)
        while part.open_time > current.close_time:
            yield current
            current = empty(current.close_time + 1, interval, zone_us, current.close)
        current.take_in(part)
    while current is not None:
        yield current
        if end <= current.close_time:
            return
        current = empty(current.close_time + 1, interval, zone_us, current.close)


def is_hidden(time_us: int, hidden: Stretches) -> bool:
    return any(start <= time_us < end for start, end in hidden)


def is_left_out(kline: Kline, every: int) -> bool:
    """Whether a fault makes a hole of this candle: one in `every` (0: none)."""
    length = kline.close_time + 1 - kline.open_time
    return bool(every) and kline.open_time // length % every == 0


def _grain(interval: str, zone_us: int) -> int:
    """What a candle is summed up from: what is kept of seconds, minutes and hours."""
    length = LENGTHS[interval] * SECOND_US
    if length == SECOND_US:
        return SECOND_US
    is_of_hours = (not length or length % HOUR_US == 0) and zone_us % HOUR_US == 0
    return HOUR_US if is_of_hours else MINUTE_US


def _parts(tape: Tape, grain: int, start: int, end: int) -> Iterator[Kline]:
    """Short candles with trades, oldest first: of the past, of minutes that are kept, of trades."""
    if tape.sums_before is not None:
        yield from tape.sums_before.sums(start, end, grain)
    if grain > SECOND_US and tape.minutes is not None:
        yield from tape.minutes.between(start, end)
        return
    length = min(grain, MINUTE_US)
    current: Kline | None = None
    first = max(tape.first_id, tape.first_at_or_after(start))
    for trade in tape.between(first, tape.first_at_or_after(end + 1) - 1):
        if trade.kind != MARKET:
            continue
        if current is None or trade.time > current.close_time:
            if current is not None:
                yield current
            opened = trade.time // length * length
            current = Kline(opened, opened + length - 1)
        current.add(trade)
    if current is not None:
        yield current


def _close_before(tape: Tape, time_us: int) -> int:
    """The last price before a moment, 0 where none is known."""
    first = tape.first_at_or_after(time_us)
    for trade_id in range(first - 1, max(tape.first_id, first - 1000) - 1, -1):
        trade = tape.at(trade_id)
        if trade.kind == MARKET:
            return trade.price
    kept = tape.minutes.close_before(time_us) if tape.minutes is not None else 0
    if kept or tape.sums_before is None:
        return kept
    return tape.sums_before.close_before(time_us)


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
