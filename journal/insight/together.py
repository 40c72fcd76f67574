"""How what is held now moves together, over the last thirty days."""

import time
from dataclasses import asdict
from itertools import combinations

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from journal.insight.question import Made, Question
from journal.metrics.together import correlation, effective
from journal.models import OpenPosition
from lib.dates import floor_to
from market.models import Instrument
from market.selectors.reading import read_span

HOUR, DAYS = 3600, 30
MOST = 12
Floats = NDArray[np.float64]


def compute(question: Question) -> Made:
    """The largest positions, by what they cost."""
    held = _held(question)
    end = floor_to(int(time.time()), HOUR)
    start = end - DAYS * 24 * HOUR
    returns: dict[str, Floats] = {}
    for done, (market, symbol) in enumerate(held):
        question.tell(done, len(held))
        found = _returns(market, symbol, start, end)
        if found is not None:
            returns[f"{market} {symbol}"] = found
    names = list(returns)
    pairs = [correlation(a, b, returns[a], returns[b]) for a, b in combinations(names, 2)]
    known = {
        (names.index(pair.first), names.index(pair.second)): pair.value
        for pair in pairs
        if pair.value is not None
    }
    values = {f"{market} {symbol}": value for (market, symbol), value in held.items()}
    weights = [values[name] * float(np.nanstd(returns[name])) for name in names]
    return Made(
        {
            "held": [
                {"market": m, "symbol": s, "value": value, "is_known": f"{m} {s}" in returns}
                for (m, s), value in held.items()
            ],
            "days": DAYS,
            "pairs": [asdict(pair) for pair in pairs],
            "effective": effective(weights, known) if len(names) > 1 else None,
        }
    )


def _held(question: Question) -> dict[tuple[str, str], float]:
    """(market, symbol) -> signed worth at entry in dollars, of the largest."""
    sums: dict[tuple[str, str], float] = {}
    for row in OpenPosition.objects.visible_to(question.user):
        if row.symbol and row.average_price is not None:
            key = row.market, row.symbol
            sums[key] = sums.get(key, 0.0) + float(row.quantity * row.average_price)
    largest = sorted(sums, key=lambda key: -abs(sums[key]))[:MOST]
    return {key: sums[key] for key in largest if sums[key]}


def _returns(market: str, symbol: str, start: int, end: int) -> Floats | None:
    """Log returns by hour; NaN where an hour or the one before is not known."""
    instrument = Instrument.objects.filter(
        venue=settings.VENUE, market=market, symbol=symbol
    ).first()
    if instrument is None:
        return None
    span = read_span(instrument, "1h", start * 1000, end * 1000)
    closes = np.full((end - start) // HOUR, np.nan)
    for bar in span.bars:
        if bar.close and span.is_complete(bar):
            closes[(bar.time - start) // HOUR] = bar.close
    returns: Floats = np.diff(np.log(closes))
    return returns if (~np.isnan(returns)).any() else None
