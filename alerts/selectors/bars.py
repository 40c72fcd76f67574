"""The bars behind a market's watch: what a window needs to begin with, and what was missed."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django.core.cache import cache

from alerts.conditions.watches import amount_of
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.models import Instrument
from market.selectors.reading import read_span
from market.selectors.span import Span

# Windows further back than this are begun with minutes.
BY_SECONDS = 3600
QUANTILE_DAYS = 30
QUANTILE_KEPT_SECONDS = 3600
# A quantile of fewer windows says nothing.
LEAST_WINDOWS = 60


def bars_before(
    instrument: Instrument, start: int, seconds: int
) -> tuple[int, list[tuple[int, Bar]]]:
    """(from when on nothing is missing, [(end, bar)]) of the time before `start` (epoch s)."""
    by_seconds = min(seconds, BY_SECONDS)
    spans = [read_span(instrument, "1s", (start - by_seconds) * 1000, start * 1000)]
    if seconds > by_seconds:
        first = (start - seconds) // 60 * 60
        spans.insert(0, read_span(instrument, "1m", first * 1000, (start - by_seconds) * 1000))
    known_from = start - seconds
    bars: list[tuple[int, Bar]] = []
    for span in spans:
        known_from = max(known_from, whole_from(span))
        bars += [(bar.time + span.seconds, bar) for bar in span.bars if bar.trades or bar.bid]
    return known_from, [(end, bar) for end, bar in bars if known_from < end <= start]


def whole_from(span: Span) -> int:
    """The second from which on nothing is missing up to the span's end; its end where all is."""
    end = span.end_ms
    start = end
    for covered_from, covered_to in span.covered:
        if covered_from < end <= covered_to:
            start = max(covered_from, span.start_ms)
    for gap in span.gaps:
        if gap.state == "open" and gap.from_ms < end and gap.to_ms >= start:
            start = min(end, gap.to_ms + 1)
    return -(-start // 1000)


def missed(instrument: Instrument, start: int, end: int) -> dict[int, Bar]:
    """1 s bars with start <= open time < end (epoch s)."""
    span = read_span(instrument, "1s", start * 1000, end * 1000)
    return {bar.time: bar for bar in span.bars if bar.trades or bar.bid}


def quantile_of(instrument: Instrument, condition: Mapping[str, Any], now: int) -> int | None:
    """What the delta of a window stood at or below in that part of its last 30 days, minute by
    minute; None where too little is known. Looked up again once an hour."""
    window = -(-int(condition["window_s"]) // 60)
    band, unit = condition.get("band"), condition.get("unit", "trade")
    name = f"alerts:quantile:{instrument.pk}:{window}:{unit}:{band}:{condition['quantile']}"
    known = cache.get(name)
    if known is not None:
        return int(known)
    index = -1 if band is None else SETS[instrument.band_set].names.index(band)
    start = (now - QUANTILE_DAYS * 86_400) // 60 * 60
    span = read_span(instrument, "1m", start * 1000, now // 60 * 60_000)
    sums = window_sums(span, ("delta", unit, index), window)
    if len(sums) < LEAST_WINDOWS:
        return None
    place = int(Fraction(condition["quantile"]) * (len(sums) - 1))
    value = sorted(sums)[place]
    cache.set(name, str(value), QUANTILE_KEPT_SECONDS)
    return value


def window_sums(span: Span, key: tuple[str, str, int], minutes: int) -> list[int]:
    """The sum of each run of so many minutes without a hole."""
    sums: list[int] = []
    running: list[int] = []
    total, before = 0, 0
    for bar in span.bars:
        if bar.time != before + 60:
            running, total = [], 0
        before = bar.time
        amount = amount_of(bar, key)
        running.append(amount)
        total += amount
        if len(running) > minutes:
            total -= running[-minutes - 1]
        if len(running) >= minutes:
            sums.append(total)
    return sums
