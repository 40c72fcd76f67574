"""`@kline_<interval>`, also at another midnight (`@+08:00`), and futures' `@continuousKline_…`."""

import json

from simulator.audience import Audience
from simulator.klines import LENGTHS, Kline, empty, frame, klines, span
from simulator.listing import SPOT
from simulator.symbol import Symbol
from simulator.tape import MARKET, Trade

EVERY_US = {"1s": 1_000_000}
USUALLY_EVERY_US = {"spot": 2_000_000, "usdm": 250_000}
# A candle is closed when a later trade shows it, or so long after its end.
CLOSES_AFTER_US = 300_000
ZONES = {"": 0, "@+08:00": 8 * 3600 * 1_000_000}


class Candles:
    """Candles are summed from their first listener on; what they hold by then is looked up."""

    def __init__(self, symbol: Symbol, audience: Audience) -> None:
        self.symbol = symbol
        self.audience = audience
        self._open: dict[str, Kline] = {}
        self._due: dict[str, int] = {}

    def tell(self, trades: list[Trade]) -> None:
        for name in self._names():
            candle = self._open.get(name)
            if candle is None:
                self._begin(name, trades[-1].time)
                continue
            for trade in trades:
                if trade.kind != MARKET or trade.time < candle.open_time:
                    continue
                if trade.time > candle.close_time:
                    candle = self._close(name, candle, trade.time)
                candle.add(trade)

    def tick(self, now_us: int) -> None:
        time = self.symbol.time(now_us)
        names = self._names()
        for name in self._open.keys() - set(names):  # nobody listens: it would grow stale
            del self._open[name]
        for name in names:
            candle = self._open.get(name)
            if candle is None:
                if len(self.symbol.tape):
                    self._begin(name, time)
                continue
            if time > candle.close_time + CLOSES_AFTER_US:
                candle = self._close(name, candle, time)
            interval = name.partition("@")[0]
            if now_us >= self._due.get(name, 0):
                every = EVERY_US.get(interval, USUALLY_EVERY_US[self.symbol.rules.market])
                self._due[name] = now_us + every
                self._say(name, candle, is_closed=False)

    def forget(self) -> None:
        self._open.clear()

    def _begin(self, name: str, time: int) -> None:
        interval, zone = _parts(name)
        opened, _ = span(time, interval, zone)
        candles = list(klines(self.symbol.tape, interval, opened, time, zone))
        self._open[name] = candles[-1] if candles else empty(time, interval, zone, 0)

    def _close(self, name: str, candle: Kline, time: int) -> Kline:
        """Tell this candle and the empty ones behind it as closed; returns the one of `time`."""
        interval, zone = _parts(name)
        while time > candle.close_time:
            self._say(name, candle, is_closed=True)
            candle = empty(candle.close_time + 1, interval, zone, candle.close)
        self._open[name] = candle
        return candle

    def _say(self, name: str, candle: Kline, *, is_closed: bool) -> None:
        rules, interval = self.symbol.rules, name.partition("@")[0]
        event_time = candle.close_time + 1 if is_closed else 0
        event_time = max(event_time, self._event_time()) + self.symbol.delay()

        def payload(scale: int) -> str:
            body = {
                "e": "kline",
                "E": event_time // scale,
                "s": rules.symbol,
                "k": frame(candle, rules, interval, scale, is_closed),
            }
            return json.dumps(body, separators=(",", ":"))

        def continuous(scale: int) -> str:
            candle_frame = frame(candle, rules, interval, scale, is_closed)
            del candle_frame["s"]
            body = {
                "e": "continuous_kline",
                "E": event_time // scale,
                "ps": rules.symbol,
                "ct": "PERPETUAL",
                "k": candle_frame,
            }
            return json.dumps(body, separators=(",", ":"))

        self.audience.say(f"{self.symbol.head}kline_{name}", payload)
        if rules.market != SPOT:
            pair = rules.symbol.lower()
            self.audience.say(f"{pair}_perpetual@continuousKline_{name}", continuous)

    def _event_time(self) -> int:
        last = self.symbol.tape.last
        return last.time if last else 0

    def _names(self) -> list[str]:
        """`1m`, `1m@+08:00`: those that somebody listens to."""
        wanted = self.audience.wanted(f"{self.symbol.head}kline_")
        if self.symbol.rules.market != SPOT:
            pair = self.symbol.rules.symbol.lower()
            wanted = list({*wanted, *self.audience.wanted(f"{pair}_perpetual@continuousKline_")})
        return [name for name in wanted if _is_known(name)]


def _is_known(name: str) -> bool:
    interval, at, zone = name.partition("@")
    return interval in LENGTHS and at + zone in ZONES


def _parts(name: str) -> tuple[str, int]:
    interval, at, zone = name.partition("@")
    return interval, ZONES[at + zone]
