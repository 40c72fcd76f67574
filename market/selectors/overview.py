"""One line for each market: price, 24 hours, order flow of the last minutes, from what Redis knows.

Windows end at the exchange's time up to which the tape is whole and are exact to the second: a
window is the whole 1 m bars in it and the 1 s bars before them.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

import redis
import structlog
from django.urls import reverse

from lib.dates import from_ms
from lib.decimals import text
from market.answers import quote
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import decode_gap
from market.instruments import InstrumentKey
from market.models import Instrument

log = structlog.get_logger(__name__)

WINDOWS = {"1m": 60, "5m": 300, "1h": 3600}
HOUR = 3600
# Many look at the same markets: a line is read once in so many seconds a process.
FRESH_SECONDS = 4.0
STALE_MS = 60_000
MOST_REMEMBERED = 1000
_lines: dict[InstrumentKey, tuple[float, "Line"]] = {}


@dataclass(frozen=True)
class Line:
    """Exact decimal text; None where nothing is known: before the first trade, while Redis is away,
    for a window that is not wholly covered, or of a tape that stands still for a minute.

    `deltas` has a value for each of WINDOWS; `line` is the CVD of the last hour at the end of each
    minute, from 0 on, empty where it is not whole.
    """

    market: str
    symbol: str
    price: str | None = None
    change_pct: str | None = None
    covered_to: datetime | None = None
    deltas: dict[str, str | None] | None = None
    line: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse("future" if self.market == "usdm" else "market", args=[self.symbol])

    def as_answer(self) -> dict[str, Any]:
        return {
            "market": self.market,
            "symbol": self.symbol,
            "price": self.price,
            "change_pct": self.change_pct,
            "delta": self.deltas or dict.fromkeys(WINDOWS),
            "cvd": list(self.line),
        }


def overview(instruments: Sequence[Instrument]) -> list[Line]:
    return lines([instrument.key for instrument in instruments])


def lines(tapes: Sequence[InstrumentKey]) -> list[Line]:
    """In the order asked for."""
    now = time.monotonic()
    known = {
        tape: kept[1]
        for tape in tapes
        if (kept := _lines.get(tape)) is not None and now - kept[0] <= FRESH_SECONDS
    }
    try:
        fresh = _read([tape for tape in dict.fromkeys(tapes) if tape not in known])
    except redis.RedisError as error:
        log.warning("redis away, prices unknown", error=type(error).__name__)
        return [Line(tape.market, tape.symbol) for tape in tapes]
    if len(_lines) + len(fresh) > MOST_REMEMBERED:
        forget()
    _lines.update({tape: (now, line) for tape, line in fresh.items()})
    known |= fresh
    return [known[tape] for tape in tapes]


def forget() -> None:
    """Redis is another one now."""
    _lines.clear()


def _read(tapes: Sequence[InstrumentKey]) -> dict[InstrumentKey, Line]:
    """All tapes in two round trips."""
    with hot_client().pipeline(transaction=False) as pipe:
        for tape in tapes:
            pipe.hmget(keys.state(tape), ["price", "covered_from", "covered_to"])
            pipe.get(keys.board(tape, "ticker"))
            pipe.hvals(keys.gaps(tape))
        answers = pipe.execute()
    heads = [Head.of(tape, *answers[3 * at : 3 * at + 3]) for at, tape in enumerate(tapes)]
    fresh = [head for head in heads if head.is_fresh]
    with hot_client().pipeline(transaction=False) as pipe:
        for head in fresh:
            for interval, at in head.bars:
                pipe.hmget(keys.bar(head.tape, interval, at), ["quote_buy", "quote_sell"])
        deltas = iter([int(bought or 0) - int(sold or 0) for bought, sold in pipe.execute()])
    return {head.tape: head.line(deltas) if head.is_fresh else head.stale() for head in heads}


@dataclass(frozen=True)
class Head:
    """Where a tape stands, and which bars its windows are made of."""

    tape: InstrumentKey
    price: int
    covered_to: int
    # nothing is missing from here on (epoch ms)
    whole_from: int
    change_pct: str | None

    @classmethod
    def of(cls, tape: InstrumentKey, state: Any, ticker: Any, gaps: Any) -> "Head":
        price, covered_from, covered_to = (int(word) if word else 0 for word in state)
        holes = [gap.to_ms for gap in map(decode_gap, gaps) if gap.state == "open"]
        change = json.loads(ticker)["change_pct"] if ticker else None
        return cls(tape, price, covered_to, max([covered_from, *holes]), change)

    @property
    def is_fresh(self) -> bool:
        """Somebody keeps the tape, and now."""
        return time.time() * 1000 - self.covered_to <= STALE_MS

    @property
    def starts(self) -> dict[str, int]:
        """Where each window begins, epoch s."""
        return {name: self.covered_to // 1000 - seconds for name, seconds in WINDOWS.items()}

    @property
    def minutes(self) -> range:
        end = self.covered_to // 1000
        return range(-(-(end - HOUR) // 60) * 60, end + 1, 60)

    @property
    def seconds(self) -> list[int]:
        """Where a window begins within a minute: its seconds up to the minute's end."""
        starts = self.starts.values()
        return sorted({at for start in starts for at in range(start, -(-start // 60) * 60)})

    @property
    def bars(self) -> list[tuple[str, int]]:
        return [*(("1m", at) for at in self.minutes), *(("1s", at) for at in self.seconds)]

    def line(self, deltas: Iterator[int]) -> Line:
        """`deltas`: bought minus sold of each of `bars`."""
        by_minute = {at: next(deltas) for at in self.minutes}
        by_second = {at: next(deltas) for at in self.seconds}
        windows: dict[str, str | None] = {}
        for name, start in self.starts.items():
            first = -(-start // 60) * 60
            total = sum(by_second[at] for at in range(start, first))
            total += sum(delta for minute, delta in by_minute.items() if minute >= first)
            windows[name] = quote(total) if start * 1000 >= self.whole_from else None
        known = [minute for minute in self.minutes if minute * 1000 >= self.whole_from]
        cvd = accumulate((by_minute[minute] for minute in known), initial=0)
        return Line(
            self.tape.market,
            self.tape.symbol,
            price=text(self.price) if self.price else None,
            change_pct=self.change_pct,
            covered_to=from_ms(self.covered_to),
            deltas=windows,
            line=tuple(map(quote, cvd)) if known else (),
        )

    def stale(self) -> Line:
        covered = from_ms(self.covered_to) if self.covered_to else None
        return Line(self.tape.market, self.tape.symbol, covered_to=covered)
