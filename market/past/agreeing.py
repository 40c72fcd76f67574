"""Whether two sources of the same minutes agree, by the rule of the minute audit."""

from collections.abc import Iterable, Mapping

import structlog

from market.archive import audits
from market.flow.bars import Bar
from market.flow.klines import Kline, differences, joined
from market.models import Instrument, MinuteAudit

log = structlog.get_logger(__name__)

UNIT = 10**8


def as_kline(bar: Bar) -> Kline:
    """A bar of detail `total` in a candle's words."""
    return Kline(
        bar.time,
        -1,
        -1,
        bar.trades,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.base_buy + bar.base_sell,
        bar.base_buy,
        (bar.quote_buy + bar.quote_sell) // UNIT,
        bar.quote_buy // UNIT,
    )


def differing(
    bars: Mapping[int, Bar], candles: Mapping[int, Kline], *, is_aggregated: bool
) -> dict[int, list[str]]:
    """Minutes (epoch s) that both tell and that do not agree, with the figures that differ. An
    aggregate's trades may lie on both sides of a minute's end: then two minutes agree together."""
    names_of: dict[int, list[str]] = {}
    for minute in sorted(bars.keys() & candles.keys()):
        what = _differences(bars[minute], candles[minute], is_aggregated=is_aggregated)
        if what:
            names_of[minute] = what
    if not is_aggregated:
        return names_of
    return {
        minute: what
        for minute, what in names_of.items()
        if not any(_agree_together(bars, candles, first) for first in (minute - 60, minute))
    }


def _differences(bar: Bar, candle: Kline, *, is_aggregated: bool) -> list[str]:
    kline = candle.without_trades() if is_aggregated else _without_ids(candle, bar)
    return differences(kline, bar)


def _without_ids(candle: Kline, bar: Bar) -> Kline:
    """REST's candles tell no ids: those of the bar stand in, so that only sums are compared."""
    return Kline(
        candle.minute,
        bar.first_id,
        bar.last_id,
        candle.trades,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.base,
        candle.base_buy,
        candle.quote,
        candle.quote_buy,
    )


def _agree_together(bars: Mapping[int, Bar], candles: Mapping[int, Kline], first: int) -> bool:
    pair = (first, first + 60)
    if any(at not in bars or at not in candles for at in pair):
        return False
    both = bars[first].copy()
    both.add(bars[first + 60])
    kline = joined([candles[at].without_trades() for at in pair])
    # the prices at the seam may belong to either minute
    return not set(differences(kline, both)) - {"open", "close"}


def record(instrument: Instrument, differing: Mapping[int, Iterable[str]], source: str) -> None:
    """A difference is a finding of the audit."""
    if not differing:
        return
    log.error(
        "sources differ",
        tape=str(instrument.key),
        source=source,
        minutes=len(differing),
        first=min(differing),
    )
    audits.record(
        instrument.pk,
        [(at, MinuteAudit.State.DIFFERS, ",".join(what)) for at, what in differing.items()],
    )
