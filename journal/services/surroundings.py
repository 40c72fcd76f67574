"""The market around fills that were made before anybody collected it: fetched by trade ids, newest
fills first, so that their order flow can be stamped."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from journal.models import Fill, Market
from journal.services.stamping import LONGEST_WINDOW
from lib.dates import to_ms
from market import backfill, following, reading
from market.binance.errors import ExchangeError
from market.instruments import InstrumentKey
from market.models import Instrument, Retention

log = structlog.get_logger(__name__)

ROUND_SECONDS = 45.0
LOOKED_AT = 200
# What did not come is asked for again after so long.
AGAIN_AFTER = timedelta(days=1)
# Younger fills may still be on their way into the live tape.
OLD_AFTER = timedelta(minutes=5)
# Futures forget their aggregates after two days.
FUTURES_REMEMBER = timedelta(hours=46)


class Stretch(NamedTuple):
    """Of one tape, in epoch ms, whole seconds."""

    tape: InstrumentKey
    start_ms: int
    end_ms: int


def fetch_round() -> int:
    """As many surroundings as fit into a round; returns how many came."""
    count, until = 0, monotonic() + ROUND_SECONDS
    for stretch in missing():
        if monotonic() > until:
            break
        marker = f"surroundings:{stretch.tape}:{stretch.start_ms}"
        if not cache.add(marker, "asked", int(AGAIN_AFTER.total_seconds())):
            continue
        try:
            instrument = following.known(stretch.tape)
            count += asyncio.run(backfill.fetch(instrument, stretch.start_ms, stretch.end_ms))
        except ExchangeError as error:
            cache.delete(marker)
            log.warning("surroundings not fetched", tape=str(stretch.tape), error=str(error))
            break  # the next round goes on
    return count


def missing() -> Iterator[Stretch]:
    """The minutes before fills that no flow was stamped on and no tape covers, newest first; those
    that lie within one another once."""
    now = timezone.now()
    done: list[Stretch] = []
    for market, since in _since(now).items():
        fills = Fill.objects.filter(
            account__venue=settings.VENUE, market=market, flow=None, time__gte=since,
            time__lte=now - OLD_AFTER,
        )  # fmt: skip
        rows = fills.order_by("-time").values_list("symbol", "time")[:LOOKED_AT]
        for symbol, time in rows:
            end_ms = to_ms(time) // 1000 * 1000
            start_ms = end_ms - int(LONGEST_WINDOW.total_seconds()) * 1000
            wanted = Stretch(InstrumentKey(settings.VENUE, market, symbol), start_ms, end_ms)
            if not any(_holds(other, wanted) for other in done) and not _is_covered(wanted):
                done.append(wanted)
                yield wanted


def _since(now: datetime) -> dict[str, datetime]:
    """How old fills may be, by market; nothing that retention would throw away at once."""
    days = settings.FLOW_BACKFILL_DAYS
    kept = Retention.objects.filter(grain="1s", instrument=None).values_list("days", flat=True)
    limit = kept.first()
    if limit is not None:
        days = min(days, limit - 1)
    oldest = now - timedelta(days=max(0, days))
    return {
        Market.SPOT.value: oldest, Market.USDM.value: max(oldest, now - FUTURES_REMEMBER),
    }  # fmt: skip


def _holds(whole: Stretch, part: Stretch) -> bool:
    return (
        whole.tape == part.tape and whole.start_ms <= part.start_ms and part.end_ms <= whole.end_ms
    )


def _is_covered(wanted: Stretch) -> bool:
    """Also when only its end is: that is the live tape's beginning, which stays as it is."""
    instrument = Instrument.objects.filter(
        venue=wanted.tape.venue, market=wanted.tape.market, symbol=wanted.tape.symbol
    ).first()
    return instrument is not None and any(
        start <= wanted.end_ms <= end for start, end in reading.covered_times(instrument)
    )
