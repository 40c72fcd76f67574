"""Seconds that stamps and trades' pictures need: retention does not take them."""

from datetime import timedelta

from journal.models import Fill
from journal.stamps.fills import LONGEST
from lib.dates import from_seconds, to_seconds
from market.asking.pinning import keep_seconds
from market.models import Instrument
from market.past.spans import merged

# What a picture shows behind a fill.
BEHIND = 300
DAY = 86_400


def keep(instrument: Instrument, start: int, end: int) -> int:
    """Around the fills of all accounts between two moments (epoch s); returns how many stretches
    were kept."""
    kept = 0
    for first in range(start - start % DAY, end, DAY):
        kept += _keep(instrument, max(start, first), min(end, first + DAY))
    return kept


def _keep(instrument: Instrument, start: int, end: int) -> int:
    key = instrument.key
    times = (
        Fill.objects.filter(
            account__venue=key.venue,
            market=key.market,
            symbol=key.symbol,
            time__gte=from_seconds(start) - timedelta(seconds=BEHIND),
            time__lte=from_seconds(end) + timedelta(seconds=LONGEST),
        )
        .order_by()
        .values_list("time", flat=True)
    )
    around = [(to_seconds(time) - LONGEST, to_seconds(time) + BEHIND) for time in times]
    return keep_seconds(instrument, merged((max(a, start), min(b, end)) for a, b in around))
