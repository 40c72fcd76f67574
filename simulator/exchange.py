"""The exchange: advances every tape and tells who listens."""

import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from simulator import capture
from simulator.amounts import to_text, to_units
from simulator.faults import Faults
from simulator.generator import Listing, Market, Row, listing
from simulator.klines import SECONDS, Kline, frame, klines, opening
from simulator.tape import AggTrade, Tape, Trade, aggregate

KLINE_EVERY_US = 2_000_000
AGGREGATE_WAITS_US = 100_000


class Listener(Protocol):
    """A connection: `scale` is 1 for microseconds and 1000 for milliseconds."""

    scale: int

    def push(self, stream: str, payload: str) -> None: ...


class Source(Protocol):
    """Where a symbol's trades come from."""

    def advance(self, now_us: int) -> list[Row]: ...
    def best(self) -> tuple[int, int, int, int]: ...


class Generated:
    """A generated market as a source."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.rng = random.Random(market.rules.symbol)

    def advance(self, now_us: int) -> list[Row]:
        return self.market.advance(now_us)

    def best(self) -> tuple[int, int, int, int]:
        """bid, its quantity, ask, its quantity."""
        step = self.market.rules.step
        size = step * self.rng.randint(1, 9999)
        return self.market.bid, size, self.market.ask, step * self.rng.randint(1, 9999)


class Replayed:
    """A capture as a source, at `speed` times its own pace (0: as fast as it goes)."""

    def __init__(self, path: Path, speed: float, now_us: int) -> None:
        frames = list(capture.read(path))
        trades = [frame for frame in frames if frame.stream.endswith("@trade")]
        if not trades:
            raise ValueError(f"{path} holds no @trade frames")
        self.first_id = int(str(trades[0].payload["t"]))
        first_us = capture.trade_row(trades[0].payload, 0)[2]
        self.shift_us = capture.shift_to(now_us, first_us)
        self._frames = deque(frames)
        self._speed = speed
        self._started: int | None = None
        self._best = (0, 0, 0, 0)

    def advance(self, now_us: int) -> list[Row]:
        if self._started is None:
            self._started = now_us
        rows: list[Row] = []
        while self._frames and self._is_due(self._frames[0].at_us, now_us):
            frame = self._frames.popleft()
            if frame.stream.endswith("@trade"):
                rows.append(capture.trade_row(frame.payload, self.shift_us))
            elif frame.stream.endswith("@bookTicker"):
                self._best = tuple(to_units(str(frame.payload[k])) for k in "bBaA")  # type: ignore[assignment]
        return rows

    def best(self) -> tuple[int, int, int, int]:
        return self._best

    def _is_due(self, at_us: int, now_us: int) -> bool:
        assert self._started is not None
        return not self._speed or at_us <= (now_us - self._started) * self._speed


@dataclass
class Symbol:
    """One listed symbol: its tape, where it comes from, and what its streams have said."""

    rules: Listing
    tape: Tape
    source: Source
    # (wall time, last id) of each batch, for REST answers that lag the stream
    batches: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=10_000))
    open_aggregate: AggTrade | None = None
    candles: dict[str, Kline] = field(default_factory=dict)
    kline_due: int = 0
    update_id: int = 1
    best: tuple[int, int, int, int] = (0, 0, 0, 0)

    def visible_id(self, now_us: int, lag_us: int) -> int:
        """The newest id that REST knows when it is `lag_us` behind the stream."""
        for at_us, last_id in reversed(self.batches):
            if at_us <= now_us - lag_us:
                return last_id
        return self.batches[0][1] - 1 if self.batches else self.tape.last_id


class Exchange:
    """All symbols. `advance` is called every few milliseconds; REST reads the tapes."""

    def __init__(self, faults: Faults, rest_lag_ms: int = 300) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.listeners: dict[str, set[Listener]] = {}
        self.faults = faults
        self.rest_lag_us = rest_lag_ms * 1000
        self._rng = random.Random(faults.seed)

    def list_generated(self, name: str, folder: Path | None, seed: int, pace: float) -> None:
        rules = listing(name)
        tape = Tape(name, folder / f"{name}.tape" if folder else None, first_id=1_000_001)
        price = tape.last.price if tape.last else None
        self._add(Symbol(rules, tape, Generated(Market(rules, seed, price, pace))))

    def list_captured(self, name: str, path: Path, speed: float) -> None:
        replayed = Replayed(path, speed, now_us())
        self._add(Symbol(listing(name), Tape(name, None, replayed.first_id), replayed))

    def _add(self, symbol: Symbol) -> None:
        symbol.batches.append((0, symbol.tape.last_id))
        self.symbols[symbol.rules.symbol] = symbol

    # --- time goes on ---------------------------------------------------------------------------

    def advance(self) -> None:
        """Let every symbol trade up to now and tell the listeners."""
        now = now_us()
        for symbol in self.symbols.values():
            rows = symbol.source.advance(now)
            if rows:
                trades = symbol.tape.append(rows)
                symbol.batches.append((now, trades[-1].id))
                self._tell_trades(symbol, trades)
                self._count_candles(symbol, trades)
            self._tell_aggregates(symbol, [], now)
            self._tell_best(symbol)
            self._tell_candles(symbol, now)

    def _tell_trades(self, symbol: Symbol, trades: list[Trade]) -> None:
        stream = f"{symbol.rules.symbol.lower()}@trade"
        if stream in self.listeners:
            for trade in trades:
                self._tell(stream, partial(trade_payload, symbol, trade, self._delay()))
        self._tell_aggregates(symbol, trades, 0)

    def _tell_aggregates(self, symbol: Symbol, trades: Iterable[Trade], now: int) -> None:
        """An aggregate is told when a later trade shows that it is whole, or after 100 ms."""
        waiting = symbol.open_aggregate
        found = list(aggregate(trades))
        if waiting is not None and found and found[0].id == waiting.id:
            found[0] = found[0]._replace(
                quantity=found[0].quantity + waiting.quantity, first_id=waiting.first_id
            )
        elif waiting is not None:
            found.insert(0, waiting)
        symbol.open_aggregate = found.pop() if found else None
        last = symbol.open_aggregate
        if last is not None and now and now - last.time > AGGREGATE_WAITS_US:
            found.append(last)
            symbol.open_aggregate = None
        stream = f"{symbol.rules.symbol.lower()}@aggTrade"
        for item in found:
            self._tell(stream, partial(aggregate_payload, symbol, item, self._delay()))

    def _tell_best(self, symbol: Symbol) -> None:
        if isinstance(symbol.source, Generated) and (
            symbol.best[0], symbol.best[2]
        ) == (symbol.source.market.bid, symbol.source.market.ask):  # fmt: skip
            return
        best = symbol.source.best()
        if best == symbol.best or not best[0]:
            return
        symbol.best = best
        symbol.update_id += 1
        bid, bid_size, ask, ask_size = map(to_text, best)
        payload = json.dumps(
            {"u": symbol.update_id, "s": symbol.rules.symbol, "b": bid, "B": bid_size, "a": ask,
             "A": ask_size}, separators=(",", ":"),
        )  # fmt: skip
        self._tell(f"{symbol.rules.symbol.lower()}@bookTicker", lambda scale: payload)

    def _count_candles(self, symbol: Symbol, trades: list[Trade]) -> None:
        for interval in self._intervals(symbol):
            seconds = SECONDS[interval]
            candle = symbol.candles.get(interval)
            if candle is None:  # the first listener: sum what the span already holds
                start = opening(trades[0].time, seconds)
                first = symbol.tape.first_at_or_after(start)
                [*_, candle] = klines(symbol.tape.between(first, trades[-1].id), seconds)
                symbol.candles[interval] = candle
                continue
            for trade in trades:
                if opening(trade.time, seconds) != candle.open_time:
                    self._tell_candle(symbol, interval, candle, is_closed=True)
                    candle = symbol.candles[interval] = Kline(
                        opening(trade.time, seconds), seconds * 1_000_000
                    )
                candle.add(trade)

    def _tell_candles(self, symbol: Symbol, now: int) -> None:
        if now < symbol.kline_due:
            return
        symbol.kline_due = now + KLINE_EVERY_US
        for interval, candle in symbol.candles.items():
            if candle.close_time >= now:
                self._tell_candle(symbol, interval, candle, is_closed=False)

    def _tell_candle(self, symbol: Symbol, interval: str, candle: Kline, is_closed: bool) -> None:
        def payload(scale: int) -> str:
            body = {
                "e": "kline", "E": (now_us() + self._delay()) // scale, "s": symbol.rules.symbol,
                "k": frame(candle, symbol.rules.symbol, interval, scale, is_closed),
            }  # fmt: skip
            return json.dumps(body, separators=(",", ":"))

        self._tell(f"{symbol.rules.symbol.lower()}@kline_{interval}", payload)

    def _intervals(self, symbol: Symbol) -> list[str]:
        head = f"{symbol.rules.symbol.lower()}@kline_"
        wanted = [name[len(head):] for name in self.listeners if name.startswith(head)]  # fmt: skip
        return [interval for interval in wanted if interval in SECONDS]

    def _delay(self) -> int:
        """Each frame has an event time of its own, a little behind its trade."""
        return self._rng.randint(300, 4_000)

    # --- who listens ----------------------------------------------------------------------------

    def listen(self, stream: str, listener: Listener) -> None:
        self.listeners.setdefault(stream, set()).add(listener)

    def leave(self, stream: str, listener: Listener) -> None:
        found = self.listeners.get(stream)
        if found is not None:
            found.discard(listener)
            if not found:
                del self.listeners[stream]

    def _tell(self, stream: str, payload: Callable[[int], str]) -> None:
        """Make the payload once a time unit and hand it to everybody who listens."""
        made: dict[int, str] = {}
        for listener in self.listeners.get(stream, ()):
            if listener.scale not in made:
                made[listener.scale] = payload(listener.scale)
            listener.push(stream, made[listener.scale])


def trade_payload(symbol: Symbol, trade: Trade, delay: int, scale: int) -> str:
    return (
        f'{{"e":"trade","E":{(trade.time + delay) // scale},"s":"{symbol.rules.symbol}",'
        f'"t":{trade.id},"p":"{to_text(trade.price)}","q":"{to_text(trade.quantity)}",'
        f'"T":{trade.time // scale},"m":{"true" if trade.is_buyer_maker else "false"},"M":true}}'
    )


def aggregate_payload(symbol: Symbol, item: AggTrade, delay: int, scale: int) -> str:
    return (
        f'{{"e":"aggTrade","E":{(item.time + delay) // scale},"s":"{symbol.rules.symbol}",'
        f'"a":{item.id},"p":"{to_text(item.price)}","q":"{to_text(item.quantity)}",'
        f'"f":{item.first_id},"l":{item.last_id},"T":{item.time // scale},'
        f'"m":{"true" if item.is_buyer_maker else "false"},"M":true}}'
    )


def now_us() -> int:
    return time.time_ns() // 1000
