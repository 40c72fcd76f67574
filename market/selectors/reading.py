"""Bars for readers: Redis first, PostgreSQL behind it, stitched without a seam."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError

from lib.dates import INTERVALS
from market.archive import coverage
from market.archive import seconds as archive
from market.archive.rollups import HOUR, load_longest, pruned_hours
from market.flow.bars import Bar, roll_up
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import (
    BigOrderRecord,
    GapRecord,
    State,
    bar_from,
    decode_gap,
    decode_order,
    state_from,
)
from market.instruments import InstrumentKey
from market.models import Instrument

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Span:
    """Bars of one tape with start <= t < end, and what is known of their completeness.

    `source` says where they came from: hot (Redis), archive (PostgreSQL) or both.
    """

    bars: list[Bar]
    seconds: int
    source: str
    # covered times in epoch ms, oldest first, none touching another
    covered: list[tuple[int, int]]
    gaps: list[GapRecord]
    start_ms: int
    end_ms: int

    def is_closed(self, bar: Bar) -> bool:
        """The exchange's time has passed the bar's end."""
        return bool(self.covered) and self.covered[-1][1] >= (bar.time + self.seconds) * 1000

    def is_complete(self, bar: Bar) -> bool:
        """Its whole time was covered and no gap is open in it."""
        start, end = bar.time * 1000, (bar.time + self.seconds) * 1000
        return self._is_covered(start, end) and not self._has_open_gap(start, end)

    @property
    def is_whole(self) -> bool:
        """The same of the whole span; only the bar that runs now is not over yet."""
        length = self.seconds * 1000
        running = int(time.time() * 1000) // length * length
        return (
            self._is_covered(self.start_ms, max(self.start_ms, min(self.end_ms, running)))
            and not self._has_open_gap(self.start_ms, self.end_ms)
            and all(self.is_complete(bar) for bar in self.bars if bar.time * 1000 < running)
        )

    @property
    def lacks_trade_unit(self) -> bool:
        """Some of it was made from aggregates, which hide the single trades."""
        return any(bar.lacks_trade_unit for bar in self.bars)

    def _is_covered(self, start_ms: int, end_ms: int) -> bool:
        return any(start <= start_ms and end_ms <= end for start, end in self.covered)

    def _has_open_gap(self, start_ms: int, end_ms: int) -> bool:
        return any(
            gap.state == "open" and gap.to_ms >= start_ms and gap.from_ms < end_ms
            for gap in self.gaps
        )


def exchange_now_ms(instrument: Instrument) -> int:
    """The exchange's time as far as we know it: never behind what is already covered."""
    try:
        covered: Any = hot_client().hget(keys.state(instrument.key), "covered_to")
    except redis.RedisError:
        covered = None  # reading the span will say so
    return max(int(time.time() * 1000), int(covered or 0))


def read_big_orders(tape: InstrumentKey, minimum: Decimal) -> list[BigOrderRecord]:
    """Newest first, each once."""
    try:
        texts: Any = hot_client().lrange(keys.big_orders(tape), 0, -1)
    except redis.RedisError as error:
        log.warning("redis away, no big orders", error=type(error).__name__)
        return []
    found = {order.slot: order for order in map(decode_order, texts)}
    return [order for order in found.values() if Decimal(order.value) >= minimum]


def read_board(tape: InstrumentKey, kind: str) -> dict[str, Any] | None:
    """The newest `book`, `ticker` or `mark` as its answer; None when nobody keeps it just now."""
    try:
        text: Any = hot_client().get(keys.board(tape, kind))
    except redis.RedisError as error:
        log.warning("redis away", wanted=kind, error=type(error).__name__)
        return None
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found


def read_span(instrument: Instrument, interval: str, start_ms: int, end_ms: int) -> Span:
    """Bars whose open time t has start_ms <= t < end_ms, with empty bars where nothing traded."""
    seconds = INTERVALS[interval]
    start = -(-start_ms // (seconds * 1000)) * seconds
    end = -(-end_ms // (seconds * 1000)) * seconds
    grain = "1s" if seconds < 60 else "1m"
    state, hot, gaps, is_away = read_hot(instrument.key, grain, start, end)
    if state is None:
        state = archive.load_state(instrument.pk)
    source = "hot"
    saved: dict[int, Bar] = {}
    hot_from = state.hot_from if state is not None and not is_away else 2**40
    # what is older than its time in Redis may have left it, and single bars may have come back
    kept = settings.HOT_SECONDS_TTL if grain == "1s" else settings.HOT_MINUTES_TTL
    aged = (state.covered_to // 1000 - kept if state is not None else 0) // 60 * 60 + 60
    hot_from = max(hot_from, min(hot, default=2**40), min(aged, 2**40))
    if start < hot_from:
        stop = min(end, hot_from)
        if grain == "1m":
            longest = load_longest(instrument.pk, start, stop, seconds, instrument.band_set)
            saved = _at_least_minutes(longest)
        else:
            saved = archive.load(instrument.pk, start, stop, instrument.band_set)
        if saved:
            source = "both" if hot else "archive"
        elif is_away or state is None:
            source = "archive"
    if seconds >= 3600:  # an hour of PostgreSQL must not meet its own minutes from Redis
        hot = {at: bar for at, bar in hot.items() if at >= hot_from}
    merged = {**saved, **hot}
    bars = roll_up([merged[at] for at in sorted(merged)], seconds)
    span = Span(
        bars=bars,
        seconds=seconds,
        source=source,
        covered=_covered(instrument, state, (start, end) if grain == "1s" else None),
        gaps=_merge_gaps(instrument, gaps, start_ms, end_ms),
        start_ms=start_ms,
        end_ms=end_ms,
    )
    return _with_empty_bars(instrument, span, start, end)


def _at_least_minutes(bars: dict[int, Bar]) -> dict[int, Bar]:
    """1 s bars among longer ones are rolled up to minutes, since Redis has minutes behind them."""
    return {bar.time: bar for bar in roll_up([bars[at] for at in sorted(bars)], 60)}


def covered_times(instrument: Instrument) -> list[tuple[int, int]]:
    """Stretches of time (epoch ms) in which the tape is whole but for open gaps, oldest first."""
    state, _, _, _ = read_hot(instrument.key, "1m", 0, 0)
    return _covered(instrument, state or archive.load_state(instrument.pk), None)


def read_hot(
    tape: InstrumentKey, grain: str, start: int, end: int
) -> tuple[State | None, dict[int, Bar], list[GapRecord], bool]:
    """(state, bars, gaps, whether Redis is away)"""
    client = hot_client()
    try:
        with client.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.state(tape))
            pipe.hvals(keys.gaps(tape))
            pipe.zrange(keys.bars(tape, grain), start, f"({end}", byscore=True)
            fields, gap_texts, index = pipe.execute()
        times = [int(at) for at in index]
        with client.pipeline(transaction=False) as pipe:
            for at in times:
                pipe.hgetall(keys.bar(tape, grain, at))
            found = pipe.execute()
    except redis.RedisError as error:
        log.warning("redis away, reading from postgresql", error=type(error).__name__)
        return None, {}, [], True
    bars = {at: bar_from(at, raw) for at, raw in zip(times, found, strict=True) if raw}
    return state_from(fields), bars, [decode_gap(text) for text in gap_texts], False


def _merge_gaps(
    instrument: Instrument, hot: Sequence[GapRecord], start_ms: int, end_ms: int
) -> list[GapRecord]:
    """Both stores' gaps; Redis knows the newest state of those that it still has."""
    try:
        known = {gap.first_id: gap for gap in archive.load_gaps(instrument.pk, start_ms, end_ms)}
    except DatabaseError as error:
        log.warning("postgresql away, gaps from redis only", error=type(error).__name__)
        known = {}
    for gap in hot:
        is_closed = gap.first_id in known and known[gap.first_id].state != "open"
        if gap.to_ms >= start_ms and gap.from_ms < end_ms and not is_closed:
            known[gap.first_id] = gap
    return [known[first_id] for first_id in sorted(known)]


def _covered(
    instrument: Instrument, state: State | None, seconds: tuple[int, int] | None
) -> list[tuple[int, int]]:
    """Without the hours between `seconds` (epoch s) whose 1 s bars are kept no more."""
    live = (state.covered_from, state.covered_to) if state else None
    try:
        known = coverage.times(instrument.pk, live)
        for hour in pruned_hours(instrument.pk, *seconds) if seconds else []:
            known = coverage.without(known, hour * 1000, (hour + HOUR) * 1000)
        return known
    except DatabaseError as error:
        log.warning("postgresql away, coverage from redis only", error=type(error).__name__)
        return [live] if live else []


def _with_empty_bars(instrument: Instrument, span: Span, start: int, end: int) -> Span:
    """A covered span without trades is a bar too, at the previous close; what is not covered, or
    lies in an open gap, stays out."""
    step = span.seconds
    have = {bar.time: bar for bar in span.bars}
    for from_ms, to_ms in span.covered:
        first = max(start, -(-from_ms // (step * 1000)) * step)
        last = min(end, -(-to_ms // (step * 1000)) * step)
        close: int | None = None
        for at in range(first, last, step):
            bar = have.get(at)
            if bar is not None:
                close = bar.close
                continue
            if span._has_open_gap(at * 1000, (at + step) * 1000):
                continue
            if close is None:
                close = _close_before(instrument, at, have)
            if close:
                have[at] = empty = Bar(at)
                empty.open = empty.high = empty.low = empty.close = close
    span.bars[:] = [have[at] for at in sorted(have)]
    return span


def _close_before(instrument: Instrument, at: int, have: dict[int, Bar]) -> int | None:
    earlier = [time for time in have if time < at]
    if earlier:
        return have[max(earlier)].close
    try:
        client = hot_client()
        index = keys.bars(instrument.key, "1m")
        newest: Any = client.zrevrangebyscore(index, at - 60, "-inf", start=0, num=1)
        if newest:
            close: Any = client.hget(keys.bar(instrument.key, "1m", int(newest[0])), "close")
            return int(close) if close else None
    except redis.RedisError:
        log.warning("redis away, close read from postgresql")
    return archive.close_before(instrument.pk, at)
