"""Bars for readers: Redis first, PostgreSQL behind it, stitched without a seam."""

import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError

from lib.dates import INTERVALS, ceil_to
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
from market.past import store as past
from market.past.resolving import Resolver, TapeBars
from market.past.spans import Stretch, merged
from market.selectors.span import Span

log = structlog.get_logger(__name__)

# A tape that reaches so near to now is kept by somebody.
LIVE_MS = 120_000


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
    by_slot = {order.slot: order for order in map(decode_order, texts)}
    return [order for order in by_slot.values() if Decimal(order.value) >= minimum]


def read_board(tape: InstrumentKey, kind: str) -> dict[str, Any] | None:
    """The newest `book`, `ticker` or `mark` as its answer; None when nobody keeps it just now."""
    try:
        text: Any = hot_client().get(keys.board(tape, kind))
    except redis.RedisError as error:
        log.warning("redis away", wanted=kind, error=type(error).__name__)
        return None
    board: dict[str, Any] | None = json.loads(text) if text else None
    return board


def read_span(instrument: Instrument, interval: str, start_ms: int, end_ms: int) -> Span:
    """Bars whose open time t has start_ms <= t < end_ms, with empty bars where nothing traded: the
    tape's where it is whole, else what the exchange told of that time."""
    seconds = INTERVALS[interval]
    start, end = (ceil_to(-(-moment // 1000), seconds) for moment in (start_ms, end_ms))
    span = _read_tape(instrument, seconds, start, end, start_ms, end_ms)
    _fill_from_past(instrument, span, start, end)
    return _with_empty_bars(instrument, span, start, end)


def _read_tape(
    instrument: Instrument, seconds: int, start: int, end: int, start_ms: int, end_ms: int
) -> Span:
    """What the tape itself has of bars that open within start <= t < end (epoch s)."""
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
    together = {**saved, **hot}
    return Span(
        bars=roll_up([together[at] for at in sorted(together)], seconds),
        seconds=seconds,
        source=source,
        covered=_covered(instrument, state, start, end, is_of_seconds=grain == "1s"),
        gaps=_merge_gaps(instrument, gaps, start_ms, end_ms),
        start_ms=start_ms,
        end_ms=end_ms,
        covered_to=state.covered_to if state else _covered_to(instrument),
    )


def _fill_from_past(instrument: Instrument, span: Span, start: int, end: int) -> None:
    """Where the tape is not whole the past's store may know the bar."""
    slots = [at for at in range(start, end, span.seconds) if not span.is_whole_in_tape(at)]
    if not slots:
        return

    def read_tape(size: int, first: int, last: int) -> TapeBars:
        part = _read_tape(instrument, size, first, last, first * 1000, last * 1000)
        partial = {bar.time: bar for bar in part.bars}
        _with_empty_bars(instrument, part, first, last)
        return TapeBars(
            {bar.time: bar for bar in part.bars if part.is_whole_in_tape(bar.time)}, partial
        )

    covered = [(-(-first // 1000), last // 1000) for first, last in span.covered]
    resolver = Resolver(instrument, covered, read_tape, edge_of(span))
    try:
        resolved = resolver.resolve(span.seconds, slots)
    except DatabaseError as error:
        log.warning("postgresql away, nothing of the past", error=type(error).__name__)
        return
    if not resolved.bars:
        return
    has_own = any(bar.time not in resolved.bars for bar in span.bars)
    bars = {bar.time: bar for bar in span.bars} | resolved.bars
    span.bars[:] = [bars[at] for at in sorted(bars)]
    span.past |= resolved.whole
    span.source = "both" if has_own and span.source != "archive" else "archive"


def edge_of(span: Span) -> int:
    """Up to where (epoch s) a bar should be known: a live tape's end, else now."""
    now_ms = int(time.time() * 1000)
    is_live = now_ms - span.covered_to < LIVE_MS
    return (span.covered_to if is_live else now_ms) // 1000


def known_seconds(instrument: Instrument, start: int, end: int) -> list[Stretch]:
    """Stretches (epoch s) between two moments whose 1 s bars are known, but for open gaps."""
    state, _, _, _ = read_hot(instrument.key, "1m", 0, 0)
    state = state or archive.load_state(instrument.pk)
    tape = _covered(instrument, state, start, end, is_of_seconds=True)
    own = [(-(-first // 1000), last // 1000) for first, last in tape]
    return merged([*own, *past.known(instrument.pk, past.SECOND, start, end)])


def live_to(instrument: Instrument) -> int | None:
    """How far (epoch s) the tape of a market that is followed now reaches; None without one."""
    state, _, _, _ = read_hot(instrument.key, "1m", 0, 0)
    is_live = state is not None and time.time() * 1000 - state.covered_to < LIVE_MS
    return state.covered_to // 1000 if state is not None and is_live else None


def _at_least_minutes(bars: dict[int, Bar]) -> dict[int, Bar]:
    """1 s bars among longer ones are rolled up to minutes, since Redis has minutes behind them."""
    return {bar.time: bar for bar in roll_up([bars[at] for at in sorted(bars)], 60)}


def covered_times(instrument: Instrument) -> list[tuple[int, int]]:
    """Stretches of time (epoch ms) in which the tape is whole but for open gaps, oldest first."""
    state, _, _, _ = read_hot(instrument.key, "1m", 0, 0)
    state = state or archive.load_state(instrument.pk)
    return coverage.times(instrument.pk, (state.covered_from, state.covered_to) if state else None)


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
            hashes = pipe.execute()
    except redis.RedisError as error:
        log.warning("redis away, reading from postgresql", error=type(error).__name__)
        return None, {}, [], True
    bars = {at: bar_from(at, raw) for at, raw in zip(times, hashes, strict=True) if raw}
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
    instrument: Instrument, state: State | None, start: int, end: int, *, is_of_seconds: bool
) -> list[tuple[int, int]]:
    """What the tape covers around two moments (epoch s), in epoch ms; of seconds without the hours
    whose 1 s bars are kept no more."""
    live = (state.covered_from, state.covered_to) if state else None
    try:
        known = coverage.times(instrument.pk, live, start * 1000, end * 1000)
        for hour in pruned_hours(instrument.pk, start, end) if is_of_seconds else []:
            known = coverage.without(known, hour * 1000, (hour + HOUR) * 1000)
        return known
    except DatabaseError as error:
        log.warning("postgresql away, coverage from redis only", error=type(error).__name__)
        return [live] if live else []


def _covered_to(instrument: Instrument) -> int:
    try:
        return coverage.newest(instrument.pk)
    except DatabaseError:
        return 0


def _with_empty_bars(instrument: Instrument, span: Span, start: int, end: int) -> Span:
    """A covered span without trades is a bar too, at the previous close; what is not covered, or
    lies in an open gap, stays out."""
    step = span.seconds
    have = {bar.time: bar for bar in span.bars}
    close: int | None = None
    # where a price before was looked for already: where none is known, once is enough
    looked: set[bool] = set()
    bars: list[Bar] = []
    for at in range(start, end, step):
        bar = have.get(at)
        if bar is not None and bar.high:
            close = bar.close
            bars.append(bar)
            continue
        is_begun = span.covers(at * 1000, at * 1000 + 1)
        if bar is None and (not is_begun or span.has_open_gap(at * 1000, (at + step) * 1000)):
            continue
        is_past = bar is not None
        if close is None and is_past not in looked:
            looked.add(is_past)
            close = _close_before(instrument, at, is_past=is_past)
        if close:
            empty = Bar(at)
            empty.detail = instrument.key.detail if bar is None else bar.detail
            empty.open = empty.high = empty.low = empty.close = close
            bars.append(empty)
    span.bars[:] = bars
    return span


def _close_before(instrument: Instrument, at: int, *, is_past: bool) -> int | None:
    if is_past and (known := past.close_before(instrument.pk, at)) is not None:
        return known
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
