"""Prices around a trade for its chart, from the best bars there are."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from journal.models import FillFlow, Trade
from lib.dates import INTERVALS, to_ms
from lib.decimals import QUOTE_UNIT, UNIT
from market.api import wishes
from market.flow.bars import Bar
from market.flow.detail import Detail
from market.instruments import InstrumentKey
from market.selectors.reading import edge_of, read_span
from market.services import following

AROUND = timedelta(minutes=30)
MOST = 600
STEPS = {INTERVALS[name]: name for name in ("1m", "5m", "15m", "1h", "4h", "1d")}
Basis = FillFlow.Basis
BASES = {Detail.TOTAL: Basis.CANDLES_1M, Detail.ORDER: Basis.AGGREGATES, Detail.FULL: Basis.TRADES}


def around(trade: Trade) -> dict[str, Any]:
    """{"source", "basis", "step" (s), "from", "to", "opened", "closed" (ms), "covered", "missing",
    "retry_ms", "candles": [[s, o, h, l, c, delta], …]}; a candle's delta is what takers bought
    minus sold, in quote."""
    end = trade.closed_at or timezone.now()
    room = max(AROUND, (end - trade.opened_at) / 10)
    start_ms, end_ms = to_ms(trade.opened_at - room), to_ms(min(end + room, timezone.now()))
    step = next((s for s in STEPS if (end_ms - start_ms) / 1000 / s <= MOST), 86_400)
    instrument = following.known(InstrumentKey(settings.VENUE, trade.market, trade.symbol))
    span = read_span(instrument, STEPS[step], start_ms, end_ms)
    missing = wishes.look(instrument, step, span.missing(edge_of(span)))
    bars = [bar for bar in span.bars if span.is_complete(bar) or not span.is_closed(bar)]
    least = min((bar.detail for bar in bars if bar.trades), default=Detail.TOTAL)
    return {
        "step": step,
        "from": start_ms,
        "to": end_ms,
        "opened": to_ms(trade.opened_at),
        "closed": to_ms(end),
        "source": "candles" if least == Detail.TOTAL else "tape",
        "basis": BASES[least],
        "covered": bool(bars) and least > Detail.TOTAL and not missing,
        "missing": [item.as_answer() for item in missing],
        "retry_ms": wishes.RETRY_MS
        if any(item.state == wishes.FETCHING for item in missing)
        else None,
        "candles": [_row(bar) for bar in bars],
    }


def _row(bar: Bar) -> list[float]:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return [bar.time, *(price / UNIT for price in prices), bar.delta / QUOTE_UNIT]
