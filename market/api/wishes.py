"""What a chart asks for and nobody has: told, and fetched where the exchange may know it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import redis
import structlog
from django.core.cache import cache
from kombu.exceptions import OperationalError

from market.asking import candles, fetching, granting
from market.models import Instrument
from market.past import store
from market.past.spans import Stretch, merged, minus
from market.tasks import fetch_past

log = structlog.get_logger(__name__)

# What one look may ask for; what is missing beyond that comes with the next look.
MOST_REQUESTS = 12
# Seconds are asked for where at most so many are looked at.
LONGEST_SECONDS = 2 * 3600
MARKED_SECONDS = 30
RETRY_MS = 700
FETCHING, REFUSED, NONE = "fetching", "refused", "none"
# Why no seconds are asked for; templates/market/_chart.html has the words.
NO_SECONDS = ON_FUTURES, TOO_MANY = "no_seconds_on_futures", "too_many_seconds"


class Missing(NamedTuple):
    """A stretch (epoch s) of which no complete bar is known, and what becomes of it."""

    start: int
    end: int
    state: str
    reason: str | None = None

    def as_answer(self) -> dict[str, Any]:
        return {
            "from": self.start * 1000,
            "to": self.end * 1000,
            "state": self.state,
            "reason": self.reason,
        }


def look(instrument: Instrument, seconds: int, missing: Sequence[Stretch]) -> list[Missing]:
    """Ask for what is missing of bars of so many seconds; what of it comes, and why the rest does
    not."""
    if not missing:
        return []
    grain = next(size for size in reversed(store.GRAINS) if seconds % size == 0)
    if grain == store.SECOND:
        refusal = _why_no_seconds(instrument, missing)
        if refusal:
            return [Missing(a, b, NONE, refusal) for a, b in missing]
    wanted = candles.left(instrument, grain, missing)
    missing_spans = [Missing(a, b, NONE, "no_candles") for a, b in minus(missing, merged(wanted))]
    if wanted:
        state, reason = _ask(instrument, grain, wanted)
        inside = [(max(a, c), min(b, d)) for a, b in missing for c, d in wanted]
        missing_spans += [Missing(a, b, state, reason) for a, b in merged(inside)]
    return sorted(_before_listing(instrument, grain, missing_spans))


def _ask(instrument: Instrument, grain: int, wanted: Sequence[Stretch]) -> tuple[str, str | None]:
    try:
        return _ask_once(instrument, grain, wanted)
    except (redis.RedisError, OperationalError) as error:  # nobody can be asked, or told
        log.warning("not asked for", error=type(error).__name__)
        return REFUSED, "busy"


def _ask_once(
    instrument: Instrument, grain: int, wanted: Sequence[Stretch]
) -> tuple[str, str | None]:
    """Raises RedisError and OperationalError."""
    refusal = cache.get(granting.refusal_key(instrument, grain))
    if refusal is not None:
        return REFUSED, str(refusal)
    newest = fetching.requests_for(instrument.market, grain, wanted)[-MOST_REQUESTS:]
    fresh = [
        page
        for page in newest
        if cache.add(granting.marker_of(instrument, grain, page), "asked", MARKED_SECONDS)
    ]
    if fresh:
        fetch_past.delay(instrument.pk, grain, fresh)
    return FETCHING, None


def _why_no_seconds(instrument: Instrument, missing: Sequence[Stretch]) -> str | None:
    if instrument.market == "usdm":
        return ON_FUTURES
    if sum(end - start for start, end in missing) > LONGEST_SECONDS:
        return TOO_MANY
    return None


def _before_listing(
    instrument: Instrument, grain: int, missing: Sequence[Missing]
) -> Iterator[Missing]:
    """What is not there before everything that is known of the market is older than its listing."""
    first = store.first_known(instrument.pk)
    for item in missing:
        is_before = item.state == NONE and first is not None and item.end <= first
        yield item._replace(reason="before_listing") if is_before else item
