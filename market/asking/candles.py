"""The exchange's own candles as bars of detail `total`: exact sums, prices and count, no bands."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.utils import timezone

from market.archive import coverage
from market.archive.rollups import load_longest
from market.binance.rest import PublicRest
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.flow.klines import Kline
from market.models import Instrument
from market.past import agreeing, store
from market.past.spans import Stretch, merged, minus

log = structlog.get_logger(__name__)

INTERVALS = {store.SECOND: "1s", store.MINUTE: "1m", store.HOUR: "1h", store.DAY: "1d"}
PAGE = 1000
# The exchange's own candle may still change for so long behind its end.
SETTLED_SECONDS = 5
# What it had nothing of is asked for again after so long.
ABSENT_FOR = timedelta(days=1)
UNIT = 10**8


@dataclass
class Answer:
    """What one request brought: whole bars, what they tell everything of, and what is not there."""

    bars: list[Bar]
    stretches: list[Stretch]
    absent: list[Stretch] = field(default_factory=list)


def weigh(market: str) -> "dict[int, int]":
    """Up to so many candles -> weight."""
    return {99: 1, 499: 2, PAGE: 5} if market == "usdm" else {PAGE: 2}


def weight_of(market: str, count: int) -> int:
    return next((weight for most, weight in weigh(market).items() if count <= most), 10)


def left(instrument: Instrument, grain: int, wanted: Sequence[Stretch]) -> list[Stretch]:
    """What of it would have to be asked for; only what is over."""
    over = int(time.time()) - SETTLED_SECONDS
    over -= over % grain
    wanted = merged((start, min(end, over)) for start, end in wanted)
    return store.left_to_ask(instrument.pk, grain, wanted, timezone.now() - ABSENT_FOR)


async def ask(
    rest: PublicRest, instrument: Instrument, grain: int, page: Stretch, kind: str
) -> Answer:
    """One request of at most PAGE candles. Raises the REST adapter's errors."""
    start, end = page
    rows = await rest.candles(
        instrument.symbol, INTERVALS[grain], start * 1000, end * 1000 - 1, kind
    )
    return read(rows, grain, page)


def read(rows: Sequence[Kline], grain: int, page: Stretch) -> Answer:
    """Candles that make sense, and which times are not told: before the first of a young listing,
    behind the last one of a dead one, and holes."""
    start, end = page
    good = {
        row.minute: row
        for row in rows
        if start <= row.minute < end and row.minute % grain == 0 and _makes_sense(row)
    }
    if len(good) != len(rows):
        log.warning("candles left out", count=len(rows) - len(good), grain=grain, first=start)
    told = merged((at, at + grain) for at in good)
    bars = [bar_of(good[at]) for at in sorted(good)]
    return Answer(bars, told, minus([page], told))


def keep(instrument: Instrument, grain: int, answer: Answer) -> None:
    """In one transaction or not at all; what is known better stays, and must agree."""
    if grain == store.MINUTE and answer.bars:
        _compare(instrument, answer)
    if answer.stretches:
        store.keep(
            instrument.pk, instrument.band_set, grain, Detail.TOTAL, answer.bars, answer.stretches
        )
    if answer.absent:
        store.note_absent(instrument.pk, grain, answer.absent)


def bar_of(row: Kline) -> Bar:
    bar = Bar(row.minute)
    bar.detail = Detail.TOTAL
    bar.open, bar.high, bar.low, bar.close = row.open, row.high, row.low, row.close
    bar.trades = row.trades
    bar.base_buy, bar.base_sell = row.base_buy, row.base - row.base_buy
    bar.quote_buy = row.quote_buy * UNIT
    bar.quote_sell = (row.quote - row.quote_buy) * UNIT
    # inside the candle nobody knows: at least its ends
    bar.delta_low, bar.delta_high = min(0, bar.delta), max(0, bar.delta)
    return bar


def _makes_sense(row: Kline) -> bool:
    if not row.trades:
        return row.base == 0
    return (
        0 < row.low <= min(row.open, row.close)
        and max(row.open, row.close) <= row.high
        and 0 <= row.base_buy <= row.base
        and 0 <= row.quote_buy <= row.quote
        and row.trades > 0
    )


def _compare(instrument: Instrument, answer: Answer) -> None:
    """With what the tape and other sources tell of the same minutes."""
    start, end = answer.bars[0].time, answer.bars[-1].time + store.MINUTE
    better = {
        at: bar
        for at, bar in store.load(instrument.pk, store.MINUTE, start, end).items()
        if bar.detail > Detail.TOTAL
    }
    for first, last in coverage.times(instrument.pk, None):
        a, b = max(start, -(-first // 60_000) * 60), min(end, last // 60_000 * 60)
        if a < b:
            longest = load_longest(instrument.pk, a, b, store.MINUTE, instrument.band_set)
            rolled = roll_up([longest[at] for at in sorted(longest)], store.MINUTE)
            better |= {bar.time: bar for bar in rolled}
    candles = {bar.time: agreeing.as_kline(bar) for bar in answer.bars}
    differing = agreeing.differing(better, candles, is_aggregated=instrument.key.is_aggregated)
    agreeing.record(instrument, differing, "candles")
