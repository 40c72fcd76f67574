"""Candles, summed from the tape's trades."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.amounts import UNIT, to_text
from simulator.tape import Trade

SECONDS = {
    "1s": 1, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200,
    "4h": 14400, "6h": 21600, "8h": 28800, "12h": 43200, "1d": 86400,
}  # fmt: skip


@dataclass
class Kline:
    """Times in microseconds, base amounts in 1e-8, quote amounts in 1e-16."""

    open_time: int
    length: int
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
                trade.id, trade.price, trade.price, trade.price,
            )  # fmt: skip
        self.last_id, self.close = trade.id, trade.price
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        quote = trade.price * trade.quantity
        self.base += trade.quantity
        self.quote += quote
        self.trades += 1
        if not trade.is_buyer_maker:
            self.taker_base += trade.quantity
            self.taker_quote += quote

    @property
    def close_time(self) -> int:
        return self.open_time + self.length - 1


def opening(time_us: int, seconds: int) -> int:
    return time_us // (seconds * 1_000_000) * seconds * 1_000_000


def klines(trades: Iterable[Trade], seconds: int) -> list[Kline]:
    """Candles of a stretch of trades; spans without a trade stay out."""
    found: list[Kline] = []
    for trade in trades:
        start = opening(trade.time, seconds)
        if not found or found[-1].open_time != start:
            found.append(Kline(start, seconds * 1_000_000))
        found[-1].add(trade)
    return found


def quote_text(amount: int) -> str:
    return to_text(amount // UNIT)


def row(kline: Kline, scale: int) -> list[object]:
    """As REST answers it; `scale` is 1 for microseconds and 1000 for milliseconds."""
    return [
        kline.open_time // scale, to_text(kline.open), to_text(kline.high), to_text(kline.low),
        to_text(kline.close), to_text(kline.base), kline.close_time // scale,
        quote_text(kline.quote), kline.trades, to_text(kline.taker_base),
        quote_text(kline.taker_quote), "0",
    ]  # fmt: skip


def frame(
    kline: Kline, symbol: str, interval: str, scale: int, is_closed: bool
) -> dict[str, object]:
    """The `k` of a kline event."""
    return {
        "t": kline.open_time // scale, "T": kline.close_time // scale, "s": symbol, "i": interval,
        "f": kline.first_id, "L": kline.last_id, "o": to_text(kline.open),
        "c": to_text(kline.close), "h": to_text(kline.high), "l": to_text(kline.low),
        "v": to_text(kline.base), "n": kline.trades, "x": is_closed, "q": quote_text(kline.quote),
        "V": to_text(kline.taker_base), "Q": quote_text(kline.taker_quote), "B": "0",
    }  # fmt: skip
