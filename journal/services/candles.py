"""Prices around a trade for its chart: the tape's own bars with their flow where it is covered,
else the exchange's candles, told apart."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from accounts.services.reader import Reader
from journal.models import Market, Trade
from lib.dates import to_ms
from market.binance.errors import ExchangeError
from market.models import Instrument
from market.selectors import reading

log = structlog.get_logger(__name__)

AROUND = timedelta(minutes=30)
MOST = 600
# seconds a candle, as the exchange names them
STEPS = {60: "1m", 300: "5m", 900: "15m", 3600: "1h", 14_400: "4h", 86_400: "1d"}
KEPT_SECONDS = 3600
PATHS = {Market.SPOT: "/api/v3/klines", Market.USDM: "/fapi/v1/klines"}


def around(trade: Trade) -> dict[str, Any]:
    """{"source", "step" (s), "from", "to" (ms), "covered", "candles": [[s, o, h, l, c, delta], …]};
    a candle's delta is what takers bought minus sold, in quote."""
    end = trade.closed_at or timezone.now()
    room = max(AROUND, (end - trade.opened_at) / 10)
    start_ms, end_ms = to_ms(trade.opened_at - room), to_ms(min(end + room, timezone.now()))
    step = next((s for s in STEPS if (end_ms - start_ms) / 1000 / s <= MOST), 86_400)
    instrument = Instrument.objects.filter(
        venue=settings.VENUE, market=trade.market, symbol=trade.symbol
    ).first()
    covered = instrument is not None and any(
        a <= to_ms(trade.opened_at) and b >= to_ms(end) - 60_000
        for a, b in reading.covered_times(instrument)
    )
    found = {
        "step": step,
        "from": start_ms,
        "to": end_ms,
        "covered": covered,
        "source": "exchange",
        "opened": to_ms(trade.opened_at),
        "closed": to_ms(end),
    }
    key = f"candles-with-delta:{trade.pk}:{step}:{start_ms}:{trade.fill_count}"
    candles = cache.get(key)
    if candles is None:
        candles = _ask(trade, step, start_ms, end_ms)
        if candles and trade.closed_at is not None:
            cache.set(key, candles, KEPT_SECONDS)
    return {**found, "candles": candles}


def _ask(trade: Trade, step: int, start_ms: int, end_ms: int) -> list[list[float]]:
    """Empty where the exchange does not answer: the chart then says so."""
    try:
        with Reader(None, "chart", lambda note, seconds: _refuse(seconds), "live") as reader:
            rows = reader.read_public(
                PATHS[Market(trade.market)],
                symbol=trade.symbol,
                interval=STEPS[step],
                startTime=start_ms,
                endTime=end_ms,
                limit=MOST,
            )
    except ExchangeError as error:
        log.warning("no candles", error=type(error).__name__)
        return []
    return [
        [row[0] // 1000, *(float(text) for text in row[1:5]), 2 * float(row[10]) - float(row[7])]
        for row in rows
    ]


def _refuse(seconds: int) -> None:
    """A page waits for nobody."""
    if seconds:
        raise ExchangeError("busy")
