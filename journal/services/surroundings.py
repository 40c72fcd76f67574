"""The market around fills that were made before anybody collected it: fetched by trade ids, newest
fills first, so that their order flow can be stamped."""

import asyncio
from collections.abc import Callable, Iterator
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
from market.binance.errors import ExchangeError, Refused
from market.collector import backfill
from market.instruments import InstrumentKey
from market.models import Instrument, Retention
from market.selectors import reading
from market.services import following

log = structlog.get_logger(__name__)

ROUND_SECONDS = 45.0
ROWS_A_TIME = 500
MOST_FAILURES = 3
# The fill's own second has to be in it, and those in which a late trade could still come.
BEHIND_MS = 5_000
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


def fetch_round(is_to_stop: Callable[[], bool] = lambda: False) -> int:
    """As many surroundings as fit into a round, the last one whole; returns how many came."""
    count, failures, until = 0, 0, monotonic() + ROUND_SECONDS
    for stretch in missing():
        if monotonic() > until or failures == MOST_FAILURES or is_to_stop():
            break
        marker = f"surroundings:{stretch.tape}:{stretch.start_ms}"
        if not cache.add(marker, "asked", int(AGAIN_AFTER.total_seconds())):
            continue
        instrument = following.known(stretch.tape)
        work = backfill.fetch(instrument, stretch.start_ms, stretch.end_ms, is_to_stop)
        try:
            count += asyncio.run(work)
        except Refused as error:  # it will say no again
            log.warning("surroundings refused", tape=str(stretch.tape), error=str(error))
        except ExchangeError as error:
            cache.delete(marker)
            failures += 1
            log.warning("surroundings not fetched", tape=str(stretch.tape), error=str(error))
    return count


def missing() -> Iterator[Stretch]:
    """The minutes before fills that no flow was stamped on and no tape covers, newest first; those
    that lie within one another once."""
    now = timezone.now()
    done: dict[InstrumentKey, list[Stretch]] = {}
    covered: dict[InstrumentKey, list[tuple[int, int]]] = {}
    for market, since in _since(now).items():
        fills = Fill.objects.filter(
            account__venue=settings.VENUE,
            market=market,
            flow=None,
            time__gte=since,
            time__lte=now - OLD_AFTER,
        )
        rows = fills.order_by("-time").values_list("symbol", "time")
        for symbol, time in rows.iterator(ROWS_A_TIME):
            tape = InstrumentKey(settings.VENUE, market, symbol)
            if tape not in covered:
                covered[tape] = _covered(tape)
            second = to_ms(time) // 1000 * 1000
            start_ms = second - int(LONGEST_WINDOW.total_seconds()) * 1000
            wanted = Stretch(tape, start_ms, second + BEHIND_MS)
            others = done.setdefault(tape, [])
            is_known = any(o.start_ms <= start_ms and second < o.end_ms for o in others)
            # also when only its end is covered: the live tape's beginning stays as it is
            if is_known or any(a <= wanted.end_ms and second <= b for a, b in covered[tape]):
                continue
            others.append(wanted)
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
        Market.SPOT.value: oldest,
        Market.USDM.value: max(oldest, now - FUTURES_REMEMBER),
    }


def _covered(tape: InstrumentKey) -> list[tuple[int, int]]:
    instrument = Instrument.objects.filter(
        venue=tape.venue, market=tape.market, symbol=tape.symbol
    ).first()
    return reading.covered_times(instrument) if instrument is not None else []
