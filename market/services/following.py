"""Which instruments are followed: the door for everyone who wants a tape kept."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lib.dates import to_ms
from market.flow.bands import bands_for
from market.instruments import Followed, InstrumentKey, split_symbol
from market.models import Instrument, Listing


def follow(*, key: InstrumentKey, since: datetime | None = None) -> Instrument:
    """Keep this instrument's tape from now on, or from `since`, until it is stopped; the collectors
    notice within seconds."""
    instrument = known(key)
    if not (instrument.is_followed and instrument.is_pinned):
        instrument.is_pinned = True
        instrument.pinned_at = timezone.now()
        instrument.save(update_fields=["is_pinned", "pinned_at"])
        _start(instrument)
    if since is not None and (instrument.since is None or since < instrument.since):
        instrument.since = since
        instrument.save(update_fields=["since"])
    return instrument


def unfollow(*, key: InstrumentKey) -> None:
    """Stop keeping the tape; what was collected stays."""
    Instrument.objects.filter(venue=key.venue, market=key.market, symbol=key.symbol).update(
        is_followed=False, is_pinned=False
    )


def want(find_wanted: Callable[[], Sequence[InstrumentKey]]) -> list[InstrumentKey]:
    """Follow what it finds beside what is pinned, in its order and as far as FOLLOW_LIMIT has room;
    what is neither is let go. It is asked under the lock, so that no older wish undoes a newer one.
    Returns those that found no room."""
    with transaction.atomic():
        kept = {
            row.key: row
            for row in Instrument.objects.select_for_update().filter(venue=settings.VENUE)
        }
        pinned = {key for key, row in kept.items() if row.is_pinned and row.is_followed}
        more = [key for key in dict.fromkeys(find_wanted()) if key not in pinned]
        room = max(0, settings.FOLLOW_LIMIT - len(pinned))
        for key in more[:room]:
            _start(kept.get(key) or known(key))
        gone = [
            row.pk
            for key, row in kept.items()
            if row.is_followed and key not in pinned and key not in more[:room]
        ]
        Instrument.objects.filter(pk__in=gone).update(is_followed=False)
    return more[room:]


def count_room() -> int:
    """How many more instruments can be followed."""
    followed = Instrument.objects.filter(venue=settings.VENUE, is_followed=True).count()
    return max(0, int(settings.FOLLOW_LIMIT) - followed)


def follow_first_symbols() -> None:
    """MARKET_SYMBOLS at their first start; one that somebody stopped following stays stopped.

    `BTCUSDT` is its spot market and, where the exchange lists one, its USD-M future too;
    `spot:BTCUSDT` and `usdm:BTCUSDT` are one of them.
    """
    first = set(_first_keys())
    ever_pinned = Instrument.objects.filter(venue=settings.VENUE, pinned_at__isnull=False)
    for key in first - {row.key for row in ever_pinned}:
        follow(key=key)


def find_followed(market: str) -> Sequence[Followed]:
    """The followed instruments of a market of this installation's venue. One that the exchange does
    not trade now is let go, and comes back by itself when it does; what it traded meanwhile is
    then fetched by ids."""
    rows = Instrument.objects.filter(venue=settings.VENUE, market=market, is_followed=True)
    rows = rows.exclude(symbol__in=[symbol for _, symbol in not_traded(market)])
    return [
        Followed(
            row.pk,
            row.key,
            row.band_set,
            to_ms(row.since) if row.since else 0,
            to_ms(row.followed_at) if row.followed_at else 0,
        )
        for row in rows
    ]


def not_traded(market: str | None = None) -> dict[tuple[str, str], str]:
    """(market, symbol) -> the exchange's word, of what it lists and does not trade now."""
    listed = Listing.objects.filter(venue=settings.VENUE, status__in=Listing.NOT_TRADED)
    if market is not None:
        listed = listed.filter(market=market)
    return {
        (name, symbol): status
        for name, symbol, status in listed.values_list("market", "symbol", "status")
    }


def _first_keys() -> list[InstrumentKey]:
    words = [word.rpartition(":") for word in settings.MARKET_SYMBOLS]
    plain = [symbol for market, _, symbol in words if not market]
    futures = Listing.objects.filter(
        venue=settings.VENUE, market="usdm", symbol__in=plain, status="TRADING"
    ).values_list("symbol", flat=True)
    named = [(market or "spot", symbol) for market, _, symbol in words]
    named += [("usdm", symbol) for symbol in futures]
    return [InstrumentKey(settings.VENUE, market, symbol) for market, symbol in named]


def known(key: InstrumentKey) -> Instrument:
    """Its row, made when there was none; followed or not. Its coins are those that the exchange
    lists; a symbol's ending only stands in for an unknown list."""
    listed = Listing.objects.filter(venue=key.venue, market=key.market, symbol=key.symbol).first()
    base, quote = split_symbol(key.symbol)
    if listed is not None:
        base, quote = listed.base_asset, listed.quote_asset
    instrument, _ = Instrument.objects.get_or_create(
        venue=key.venue,
        market=key.market,
        symbol=key.symbol,
        defaults={"base_asset": base, "quote_asset": quote, "band_set": bands_for(quote).id},
    )
    if listed is not None and (instrument.base_asset, instrument.quote_asset) != (base, quote):
        instrument.base_asset, instrument.quote_asset = base, quote  # its bands stay comparable
        instrument.save(update_fields=["base_asset", "quote_asset"])
    return instrument


def _start(instrument: Instrument) -> None:
    if not instrument.is_followed:
        instrument.is_followed = True
        instrument.followed_at = timezone.now()
        instrument.save(update_fields=["is_followed", "followed_at"])
