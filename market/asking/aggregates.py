"""Aggregates by time as 1 s bars: on spot exactly the taker orders, on futures approximately."""

from collections.abc import Sequence

import polars as pl

from market.binance.conversions import Aggregate
from market.binance.rest import PublicRest
from market.flow.bands import SETS, BandSet
from market.flow.bars import Bar, roll_up
from market.flow.detail import Detail
from market.flow.ticks import ms_of, ticks_of
from market.hot.codec import unpack
from market.models import Instrument
from market.past import agreeing, store
from market.past.spans import Stretch, merged, minus
from market.vision.bars import FIGURES, BarMaker, RanBack

PAGE = 1000
WEIGHTS = {"spot": 4, "usdm": 20}
# Futures answer at most an hour at once.
LONGEST_SECONDS = 3_599
MOST_PAGES = 2_000


class NotWhole(Exception):
    """The exchange did not tell all of a stretch; the sentence says what was missing."""


async def ask(rest: PublicRest, instrument: Instrument, stretch: Stretch, kind: str) -> list[Bar]:
    """1 s bars of a stretch (epoch s) that is over.

    Raises NotWhole and the REST adapter's errors.
    """
    start, end = stretch
    aggregates: list[Aggregate] = []
    for first in range(start, end, LONGEST_SECONDS):
        last = min(first + LONGEST_SECONDS, end)
        aggregates += await _part(rest, instrument.symbol, first, last, kind)
    return bars_of(aggregates, stretch, SETS[instrument.band_set], is_spot=rest.PREFIX == "/api/v3")


async def _part(rest: PublicRest, symbol: str, start: int, end: int, kind: str) -> list[Aggregate]:
    """By time first, then on by id, since many may have one time."""
    end_ms = end * 1000 - 1
    rows = await rest.aggregates(symbol, start * 1000, end_ms, kind)
    aggregates = list(rows)
    for _ in range(MOST_PAGES):
        if len(rows) < PAGE:
            return aggregates
        rows = await rest.aggregates_from(symbol, aggregates[-1].id + 1, kind)
        inside = [row for row in rows if ms_of(row.time) <= end_ms]
        aggregates += inside
        if not inside or ms_of(rows[-1].time) > end_ms + store.MINUTE * 1000:
            return aggregates
    raise NotWhole(f"expected at most {MOST_PAGES * PAGE} aggregates, were more")


def bars_of(
    rows: Sequence[Aggregate], stretch: Stretch, bands: BandSet, *, is_spot: bool
) -> list[Bar]:
    """On spot ids and count are of the single trades inside, on futures the aggregates' own.
    An id that REST does not have ends a sweep, as everywhere. Raises NotWhole."""
    if not rows:
        return []
    by_id = {row.id: row for row in rows}
    frame = pl.DataFrame(
        [
            (
                row.first_id if is_spot else row.id,
                row.last_id if is_spot else row.id,
                row.price,
                row.quantity,
                row.time,
                row.is_buyer_maker,
            )
            for _, row in sorted(by_id.items())
        ],
        schema={
            "id": pl.Int64,
            "last_id": pl.Int64,
            "price": pl.Int128,
            "quantity": pl.Int128,
            "time": pl.Int64,
            "maker": pl.Boolean,
        },
        orient="row",
    )
    ticks = ticks_of(rows[0].time)
    maker = BarMaker(bands, ticks, has_single_trades=False)
    try:
        frames = [maker.take(frame), maker.finish()]
    except RanBack as error:
        raise NotWhole(str(error)) from error
    bars = [bar for part in frames if part is not None for bar in bars_from(part)]
    return [bar for bar in bars if stretch[0] <= bar.time < stretch[1]]


def bars_from(frame: pl.DataFrame) -> list[Bar]:
    """What `BarMaker` gives, as bars."""
    bars = []
    columns = ["second", *FIGURES, "trade", "order"]
    for second, *figures, trade, order in frame.select(columns).iter_rows():
        bar = Bar(second)
        for name, value in zip(FIGURES, figures, strict=True):
            setattr(bar, name, int(value))
        bar.detail = Detail.FULL if trade else Detail.ORDER
        if trade:
            bar.trade = unpack(trade)
        bar.order = unpack(order)
        bars.append(bar)
    return bars


def keep(instrument: Instrument, stretch: Stretch, bars: Sequence[Bar]) -> list[int]:
    """Seconds and their minutes, but for minutes in which the exchange's candle says otherwise:
    these stay as the candle says. Returns them (epoch s)."""
    start, end = stretch
    candles = {
        at: agreeing.as_kline(bar)
        for at, bar in store.load(instrument.pk, store.MINUTE, start, end).items()
        if bar.detail == Detail.TOTAL
    }
    whole = (-(-start // 60) * 60, end // 60 * 60)
    minutes = {
        bar.time: bar for bar in roll_up(bars, store.MINUTE) if whole[0] <= bar.time < whole[1]
    }
    differing = agreeing.differing(minutes, candles, is_aggregated=instrument.key.is_aggregated)
    agreeing.record(instrument, differing, "aggregates")
    left = minus([stretch], merged((at, at + store.MINUTE) for at in differing))
    good = [bar for bar in bars if bar.time // 60 * 60 not in differing]
    store.keep(instrument.pk, instrument.band_set, store.SECOND, Detail.ORDER, good, left)
    return sorted(differing)
