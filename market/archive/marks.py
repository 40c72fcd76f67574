"""Mark prices and funding of USD-M futures, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from lib.dates import from_ms, from_seconds
from lib.decimals import decimal, scaled
from market.binance.rest_rows import FundingRow
from market.book.levels import Mark
from market.models import FundingRate, Instrument, MarkPrice, Retention

# So far back funding is read when a future is first followed.
FIRST_DAYS = 90
# Settlements come at whole hours, most often every eighth.
SETTLES_EVERY = timedelta(hours=1)


def save_marks(instrument_id: int, marks: dict[int, Mark]) -> None:
    """Minute (epoch s) -> its last mark; said twice, the later one stays."""
    rows = [
        MarkPrice(
            instrument_id=instrument_id,
            minute=from_seconds(minute),
            mark=decimal(mark.price),
            index=decimal(mark.index),
        )
        for minute, mark in marks.items()
    ]
    MarkPrice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["instrument", "minute"],
        update_fields=["mark", "index"],
    )


def drop_old_marks(now: datetime) -> None:
    """They stay as long as the minutes of all instruments do."""
    kept = Retention.objects.filter(grain="1m", instrument=None).first()
    if kept is not None and kept.days is not None:
        MarkPrice.objects.filter(minute__lt=now - timedelta(days=kept.days)).delete()


def due_for_funding() -> list[tuple[Instrument, datetime]]:
    """Followed futures that may have settled since, and from when on to ask."""
    now = timezone.now()
    due = []
    for row in Instrument.objects.filter(venue=settings.VENUE, market="usdm", is_followed=True):
        newest = row.funding.order_by("-time").first()
        if newest is None:
            due.append((row, now - timedelta(days=FIRST_DAYS)))
        elif newest.time + SETTLES_EVERY <= now:
            due.append((row, newest.time + timedelta(seconds=1)))
    return due


def save_funding(instrument: Instrument, rows: Sequence[FundingRow]) -> None:
    FundingRate.objects.bulk_create(
        [
            FundingRate(
                instrument=instrument,
                time=from_ms(row.time),
                rate=decimal(scaled(row.rate)),
                mark=decimal(scaled(row.mark)) if row.mark else None,
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )
