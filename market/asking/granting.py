"""What charts are to show: asked for when a market is first followed, and when somebody looks."""

import asyncio
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db.models import F, Q
from django.utils import timezone

from lib.parking import Parking
from market.asking import candles, fetching
from market.binance.errors import ExchangeError, MustWait, Refused
from market.jobs import locks
from market.jobs.guarding import each
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch

log = structlog.get_logger(__name__)

parked = Parking()
# The first picture: length in seconds by grain. Minutes first: they are what is looked at.
FIRST = {store.MINUTE: store.DAY, store.HOUR: 30 * store.DAY, store.DAY: 366 * store.DAY}
KIND = "chart"
# Then the seam to the live tape is closed: its first minute was seen in part.
SEAM_AFTER = timedelta(minutes=2)
# An exchange that does not answer is not asked again at once: it may still be at work on it.
REFUSED_SECONDS, SILENT_SECONDS = 300, 60


def marker_of(instrument: Instrument, grain: int, page: Stretch) -> str:
    return f"past:asked:{instrument.pk}:{grain}:{page[0]}:{page[1]}"


def refusal_key(instrument: Instrument, grain: int) -> str:
    return f"past:refused:{instrument.pk}:{grain}"


def grant(instrument: Instrument, grain: int, requests: list[Stretch]) -> None:
    """Fetch what somebody looks at; why not, where not, is told with their next look."""
    try:
        wanted = candles.left(instrument, grain, requests)
        needed = fetching.requests_for(instrument.market, grain, wanted)
        asyncio.run(fetching.fetch_candles(instrument, grain, needed[::-1], KIND))
    except ExchangeError as error:
        seconds = REFUSED_SECONDS if isinstance(error, Refused) else SILENT_SECONDS
        if isinstance(error, MustWait):
            seconds = max(1, min(int(error.seconds) + 1, 60))
        cache.set(refusal_key(instrument, grain), str(error)[:200], seconds)
        log.warning("candles not fetched", tape=str(instrument.key), error=str(error))
    finally:
        cache.delete_many([marker_of(instrument, grain, page) for page in requests])


def prepare_charts() -> int:
    """The first picture of each newly followed market; returns how many were made."""
    now = timezone.now()
    followed = Instrument.objects.filter(venue=settings.VENUE, is_followed=True)
    is_new = Q(charted_at=None) | Q(charted_at__lt=F("followed_at"))
    has_seam = Q(charted_at__lt=F("followed_at") + SEAM_AFTER, followed_at__lt=now - SEAM_AFTER)
    with locks.held("market:charts") as lock:
        if lock is None:
            return 0
        tapes = followed.filter(is_new | has_seam).order_by("followed_at")
        waiting = [tape for tape in tapes if not cache.get(f"past:later:{tape.pk}")]
        return sum(each("first picture", waiting, _prepare, name_of=_name_of, parked=parked))


def _name_of(instrument: Instrument) -> str:
    return str(instrument.key)


def _prepare(instrument: Instrument) -> bool:
    now = int(time.time())
    try:
        for grain, length in FIRST.items():
            wanted = candles.left(instrument, grain, [(now - length - now % grain, now)])
            requests = fetching.requests_for(instrument.market, grain, wanted)
            asyncio.run(fetching.fetch_candles(instrument, grain, requests[::-1], KIND))
    except ExchangeError as error:
        seconds = REFUSED_SECONDS if isinstance(error, Refused) else SILENT_SECONDS
        cache.set(f"past:later:{instrument.pk}", "1", seconds)
        log.warning("no first picture", tape=str(instrument.key), error=str(error))
        return False
    Instrument.objects.filter(pk=instrument.pk).update(charted_at=timezone.now())
    log.info("first picture", tape=str(instrument.key))
    return True
