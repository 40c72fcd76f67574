"""One line for each market: price, 24 hours, order flow of the last minutes, from what Redis knows.

Windows end at the exchange's time up to which the tape is whole and are exact to the second: a
window is the whole 1 m bars in it and the 1 s bars before them.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
import structlog
from django.urls import reverse

from lib.dates import from_ms
from lib.decimals import text
from market.answers import quote
from market.hot import keys
from market.hot.codec import decode_gap
from market.instruments import InstrumentKey
from market.models import Instrument
from market.reading import hot_client

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
            "market": self.market, "symbol": self.symbol, "price": self.price,
            "change_pct": self.change_pct, "delta": self.deltas or dict.fromkeys(WINDOWS),
            "cvd": list(self.line),
        }  # fmt: skip


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
        found = _read([tape for tape in dict.fromkeys(tapes) if tape not in known])
    except redis.RedisError as error:
        log.warning("redis away, prices unknown", error=type(error).__name__)
        return [Line(tape.market, tape.symbol) for tape in tapes]
    if len(_lines) + len(found) > MOST_REMEMBERED:
        forget()
    _lines.update({tape: (now, line) for tape, line in found.items()})
    known |= found
    return [known[tape] for tape in tapes]


def forget() -> None:
    """Redis is another one now."""
    _lines.clear()


def _read(tapes: Sequence[InstrumentKey]) -> dict[InstrumentKey, Line]:
    with hot_client().pipeline(transaction=False) as pipe:
        for tape in tapes:
            pipe.hmget(keys.state(tape), ["price", "covered_from", "covered_to"])
            pipe.get(keys.board(tape, "ticker"))
            pipe.hvals(keys.gaps(tape))
        answers = pipe.execute()
    found = {}
    for at, tape in enumerate(tapes):
        state, ticker, gaps = answers[3 * at : 3 * at + 3]
        price, covered_from, covered_to = (int(word) if word else 0 for word in state)
        if time.time() * 1000 - covered_to > STALE_MS:  # nobody keeps it any more, or not now
            covered = from_ms(covered_to) if covered_to else None
            found[tape] = Line(tape.market, tape.symbol, covered_to=covered)
            continue
        holes = [(gap.from_ms, gap.to_ms) for gap in map(decode_gap, gaps) if gap.state == "open"]
        deltas, line = _flow(tape, covered_from, covered_to, holes) if covered_to else ({}, [])
        found[tape] = Line(
            tape.market, tape.symbol,
            price=text(price) if price else None,
            change_pct=json.loads(ticker)["change_pct"] if ticker else None,
            covered_to=from_ms(covered_to) if covered_to else None,
            deltas={name: quote(v) if v is not None else None for name, v in deltas.items()},
            line=tuple(quote(value) for value in line),
        )  # fmt: skip
    return found


def _flow(
    tape: InstrumentKey, covered_from: int, covered_to: int, holes: Sequence[tuple[int, int]]
) -> tuple[dict[str, int | None], list[int]]:
    """(bought minus sold of each window, CVD at the end of each minute of the last hour)"""
    end = covered_to // 1000
    whole_from = max([covered_from, *(to_ms for _, to_ms in holes)])
    starts = {name: end - seconds for name, seconds in WINDOWS.items()}
    # where a window begins within a minute, its seconds up to the minute's end
    heads = {s for start in starts.values() for s in range(start, -(-start // 60) * 60)}
    minutes = range(-(-(end - HOUR) // 60) * 60, end + 1, 60)
    with hot_client().pipeline(transaction=False) as pipe:
        for minute in minutes:
            pipe.hmget(keys.bar(tape, "1m", minute), ["quote_buy", "quote_sell"])
        for second in sorted(heads):
            pipe.hmget(keys.bar(tape, "1s", second), ["quote_buy", "quote_sell"])
        answers = [int(b or 0) - int(s or 0) for b, s in pipe.execute()]
    by_minute = dict(zip(minutes, answers[: len(minutes)], strict=True))
    by_second = dict(zip(sorted(heads), answers[len(minutes) :], strict=True))
    deltas: dict[str, int | None] = {}
    for name, start in starts.items():
        first = -(-start // 60) * 60
        total = sum(by_second[at] for at in range(start, first))
        total += sum(delta for minute, delta in by_minute.items() if minute >= first)
        deltas[name] = total if start * 1000 >= whole_from else None
    known = [minute for minute in minutes if minute * 1000 >= whole_from]
    line, cvd = [0] if known else [], 0
    for minute in known:
        cvd += by_minute[minute]
        line.append(cvd)
    return deltas, line
