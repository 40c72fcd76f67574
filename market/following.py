"""Which instruments are followed: the door for everyone who wants a tape kept."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from lib.dates import to_ms
from market.collector.tapes import Followed
from market.flow.bands import bands_for
from market.instruments import InstrumentKey, split_symbol
from market.models import Instrument


def follow(*, key: InstrumentKey, since: datetime | None = None) -> Instrument:
    """Keep this instrument's tape from now on, or from `since`; the collectors notice within
    seconds."""
    base, quote = split_symbol(key.symbol)
    instrument, _ = Instrument.objects.get_or_create(
        venue=key.venue,
        market=key.market,
        symbol=key.symbol,
        defaults={"base_asset": base, "quote_asset": quote, "band_set": bands_for(quote).id},
    )
    if not instrument.is_followed:
        instrument.is_followed = True
        instrument.followed_at = timezone.now()
        instrument.save(update_fields=["is_followed", "followed_at"])
    if since is not None and (instrument.since is None or since < instrument.since):
        instrument.since = since
        instrument.save(update_fields=["since"])
    return instrument


def unfollow(*, key: InstrumentKey) -> None:
    """Stop keeping the tape; what was collected stays."""
    Instrument.objects.filter(venue=key.venue, market=key.market, symbol=key.symbol).update(
        is_followed=False
    )


def follow_first_symbols() -> None:
    """MARKET_SYMBOLS at their first start; one that somebody stopped following stays stopped."""
    known = set(
        Instrument.objects.filter(venue=settings.VENUE, market="spot").values_list(
            "symbol", flat=True
        )
    )
    for symbol in settings.MARKET_SYMBOLS:
        if symbol not in known:
            follow(key=InstrumentKey(settings.VENUE, "spot", symbol))


def find_followed() -> Sequence[Followed]:
    """The followed spot instruments of this installation's venue."""
    rows = Instrument.objects.filter(venue=settings.VENUE, market="spot", is_followed=True)
    return [
        Followed(row.pk, row.key, row.band_set, to_ms(row.since) if row.since else 0)
        for row in rows
    ]
