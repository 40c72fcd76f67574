"""Sums of a live tape's minutes: kept when its trades are forgotten, so that candles have no hole,
and so that long candles need not walk a day's trades."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from itertools import islice
from pathlib import Path

import msgspec

from simulator.klines import MINUTE_US, Kline, empty
from simulator.tape import MARKET, Tape

# Minutes that are kept, in memory and beside the tape: 60 days.
KEPT = 60 * 1440


class Minutes:
    """By opening time, only those with trades. `path` keeps what the tape has forgotten."""

    def __init__(self, tape: Tape, path: Path | None) -> None:
        self._tape = tape
        self._path = path
        self._klines: dict[int, Kline] = {}
        self._next = 0
        self._lock = threading.Lock()
        if path is not None and path.exists():
            self._load(path)

    def between(self, start_us: int, end_us: int) -> Iterator[Kline]:
        """Those that open from `start_us` to `end_us`, oldest first."""
        self.advance()
        opened = -(-start_us // MINUTE_US) * MINUTE_US
        if end_us - opened > len(self._klines) * MINUTE_US:
            yield from (k for at, k in list(self._klines.items()) if start_us <= at <= end_us)
            return
        for at in range(opened, end_us + 1, MINUTE_US):
            kline = self._klines.get(at)
            if kline is not None:
                yield kline

    def close_before(self, time_us: int) -> int:
        """The last price of the minutes that were over by then; 0 where there was none."""
        self.advance()
        over = (k.close for at, k in reversed(self._klines.items()) if at + MINUTE_US <= time_us)
        return next(over, 0)

    def advance(self) -> None:
        """Take in what was traded since the last time."""
        with self._lock:  # files of the archive are made beside the event loop
            self._advance()

    def _advance(self) -> None:
        tape = self._tape
        if self._next > tape.last_id + 1:  # another tape than the one that was kept
            self._klines.clear()
            self._next = 0
        self._next = max(self._next, tape.first_id)
        for trade in tape.between(self._next, tape.last_id):
            if trade.kind != MARKET:
                continue
            opened = trade.time // MINUTE_US * MINUTE_US
            kline = self._klines.get(opened)
            if kline is None:
                kline = self._klines[opened] = empty(opened, "1m", 0, 0)
            kline.add(trade)
        self._next = tape.last_id + 1

    def keep(self) -> None:
        """Before the tape forgets its oldest trades."""
        self.advance()
        for opened in list(islice(self._klines, max(0, len(self._klines) - KEPT))):
            del self._klines[opened]
        if self._path is not None:
            self._save(self._path, self._klines.values())

    def clear(self) -> None:
        self._klines.clear()
        self._next = 0
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _save(self, path: Path, klines: Iterable[Kline]) -> None:
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.msgpack.encode([self._next, [_packed(k) for k in klines]]))
        part.replace(path)

    def _load(self, path: Path) -> None:
        kept = msgspec.msgpack.decode(path.read_bytes(), type=tuple[int, list[list[str]]])
        self._next, rows = kept
        for row in rows:
            kline = Kline(*map(int, row))
            self._klines[kline.open_time] = kline


def _packed(kline: Kline) -> list[str]:
    """As texts: quote amounts have more than 64 bits."""
    return [str(value) for value in astuple(kline)]
