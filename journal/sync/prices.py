"""Dollars that a coin was worth in a minute, asked for once and kept (Binance's own candles)."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from journal.models import AssetPrice
from lib.cash import DOLLARS
from lib.dates import from_ms, to_ms
from market.binance.errors import Refused
from market.models import Listing

QUOTES = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD")
MINUTE_MS = 60_000
PAGE = 1000
BAD_SYMBOL = -1121
# A minute, and a moment for its last trade to be told.
CLOSED_AFTER = timedelta(seconds=62)
Need = tuple[str, datetime]
# path, parameters -> JSON
Ask = Callable[..., Any]


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def fetch(needs: Iterable[Need], ask: Ask) -> int:
    """Ask for the minutes that are not known for good. A minute that is still open gets the price
    so far, and another one when it is over (`settle`). Returns how many were asked for. Raises
    ExchangeError."""
    wanted: dict[str, set[datetime]] = {}
    for asset, moment in needs:
        if asset not in DOLLARS:
            wanted.setdefault(asset, set()).add(minute_of(moment))
    count = 0
    for asset, minutes in sorted(wanted.items()):
        known = AssetPrice.objects.filter(venue=settings.VENUE, asset=asset, minute__in=minutes)
        # one that was open is asked for again by `settle` alone, which builds what used it
        over = known.filter(Q(is_final=True) | Q(minute__lt=timezone.now() - CLOSED_AFTER))
        minutes -= set(over.values_list("minute", flat=True))
        count += _fetch_asset(asset, sorted(minutes), ask)
    return count


def open_ones() -> set[Need]:
    """Minutes that were open when they were asked for and are over."""
    due = AssetPrice.objects.filter(
        venue=settings.VENUE, is_final=False, minute__lt=timezone.now() - CLOSED_AFTER
    )
    return set(due.values_list("asset", "minute"))


def settle(need: Need, ask: Ask) -> None:
    """Ask for one of them again. Raises ExchangeError."""
    _fetch_asset(need[0], [need[1]], ask)


def load(needs: Iterable[Need]) -> dict[Need, Decimal]:
    """What is known of (asset, minute); dollars are 1 without asking."""
    wanted: dict[str, set[datetime]] = {}
    for asset, moment in needs:
        if asset not in DOLLARS:
            wanted.setdefault(asset, set()).add(minute_of(moment))
    found: dict[Need, Decimal] = {}
    for asset, minutes in wanted.items():
        rows = AssetPrice.objects.filter(
            venue=settings.VENUE, asset=asset, minute__gte=min(minutes), minute__lte=max(minutes),
            price__isnull=False,
        )  # fmt: skip
        for minute, price in rows.values_list("minute", "price"):
            if minute in minutes and price is not None:
                found[asset, minute] = price
    return found


def _fetch_asset(asset: str, minutes: list[datetime], ask: Ask) -> int:
    symbol = _symbol_of(asset)
    if symbol is None or not minutes:
        return 0
    left = minutes
    while left:
        start = to_ms(left[0])
        last = start + (PAGE - 1) * MINUTE_MS
        end = max(at for at in map(to_ms, left) if at <= last)
        try:
            rows = ask("/api/v3/klines", symbol=symbol, interval="1m", startTime=start,
                       endTime=end, limit=PAGE)  # fmt: skip
        except Refused as error:
            if error.code != BAD_SYMBOL:
                raise
            rows = []
        closes = {from_ms(row[0]): Decimal(row[4]) for row in rows}
        asked = [minute for minute in left if to_ms(minute) <= end]
        closed = timezone.now() - CLOSED_AFTER
        AssetPrice.objects.bulk_create(
            [
                AssetPrice(
                    venue=settings.VENUE, asset=asset, minute=minute, symbol=symbol,
                    price=closes.get(minute), is_final=minute < closed,
                )
                for minute in asked
            ],
            update_conflicts=True, unique_fields=["venue", "asset", "minute"],
            update_fields=["price", "symbol", "is_final"],
        )  # fmt: skip
        left = left[len(asked) :]
    return len(minutes)


def _symbol_of(asset: str) -> str | None:
    """Where the coin is priced in dollars."""
    known = set(
        Listing.objects.filter(
            venue=settings.VENUE, market="spot", symbol__in=[f"{asset}{q}" for q in QUOTES]
        ).values_list("symbol", flat=True)
    )
    return next((f"{asset}{q}" for q in QUOTES if f"{asset}{q}" in known), None)
