"""Minutes, hours and days in PostgreSQL, rolled up from the 1 s bars of whole hours.

An hour is due when its 1 s bars have changed since it was rolled up (`ArchiveHour`). Its row is
locked while its bars are replaced, so a late write waits and makes it due again: killed on any line
or overtaken by a rebuild, nothing is doubled and nothing stays old.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from lib.dates import from_seconds, to_seconds
from market.archive import partitions
from market.archive.seconds import ALL, load, row_of
from market.flow.bars import Bar, roll_up
from market.models import ArchiveHour

MINUTE, HOUR, DAY = 60, 3600, 86_400
TABLES = {MINUTE: "market_minute_bar", HOUR: "market_hour_bar", DAY: "market_day_bar"}
# An hour that is still written to is read from its 1 s bars.
SETTLED = timedelta(minutes=10)
HOURS_A_RUN = 500


def roll_up_due(now: datetime | None = None, limit: int = HOURS_A_RUN) -> int:
    """Roll up hours that are due and over, oldest first; returns how many."""
    before = (now or timezone.now()) - SETTLED - timedelta(hours=1)
    due = ArchiveHour.objects.filter(is_done=False, hour__lte=before).order_by("hour")
    done = 0
    for pk in list(due.values_list("pk", flat=True)[:limit]):
        done += roll_up_hour(pk)
    return done


@transaction.atomic
def roll_up_hour(pk: int) -> bool:
    """Replace an hour's minutes, its hour and its day; False when somebody else has done it."""
    row = (
        ArchiveHour.objects.select_for_update(of=("self",))
        .select_related("instrument")
        .filter(pk=pk, is_done=False)
        .first()
    )
    if row is None:
        return False
    if row.is_pruned:  # its seconds are gone on purpose: what was rolled up of them stays
        row.is_done = True
        row.save(update_fields=["is_done"])
        return False
    instrument, start = row.instrument, to_seconds(row.hour)
    _prepare_partitions(row.hour)
    seconds = load(instrument.pk, start, start + HOUR)
    minutes = roll_up(seconds.values(), MINUTE)
    _replace(instrument.pk, instrument.band_set, MINUTE, start, start + HOUR, minutes)
    hours = roll_up(minutes, HOUR)
    _replace(instrument.pk, instrument.band_set, HOUR, start, start + HOUR, hours)
    day = start - start % DAY
    _lock_day(instrument.pk, day)
    whole = load(instrument.pk, day, day + DAY, table=TABLES[HOUR])
    days = roll_up([whole[at] for at in sorted(whole)], DAY)
    _replace(instrument.pk, instrument.band_set, DAY, day, day + DAY, days)
    row.is_done = True
    row.save(update_fields=["is_done"])
    return True


def rolled_up_to(instrument_id: int, start: int) -> int:
    """Up to which moment (epoch s, a whole hour) from `start` on the longer bars may be read."""
    first = from_seconds(start - start % HOUR)
    due = ArchiveHour.objects.filter(
        instrument_id=instrument_id, is_done=False, is_pruned=False, hour__gte=first
    )
    hour = due.order_by("hour").values_list("hour", flat=True).first()
    return 2**40 if hour is None else to_seconds(hour)


def load_longest(
    instrument_id: int, start: int, end: int, length: int, band_set: str
) -> dict[int, Bar]:
    """Bars of start <= t < end (epoch s) of which bars of `length` seconds can be rolled up: as
    long as they may be, up to what is rolled up; from there 1 s bars."""
    stop = min(end, rolled_up_to(instrument_id, start))
    bars: dict[int, Bar] = {}
    for size in (DAY, HOUR, MINUTE):
        if length % size or start >= stop:
            continue
        aligned = -(-start // size) * size, stop // size * size
        if aligned[0] >= aligned[1]:
            continue
        if start < aligned[0]:  # what sticks out in front, in shorter bars
            bars |= load_longest(instrument_id, start, aligned[0], MINUTE, band_set)
        bars |= load(instrument_id, *aligned, band_set, TABLES[size])
        start = aligned[1]
    return bars | (load(instrument_id, start, end, band_set) if start < end else {})


def _replace(
    instrument_id: int, band_set: str, size: int, start: int, end: int, bars: Sequence[Bar]
) -> None:
    table = TABLES[size]
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE instrument_id = %s AND time >= %s AND time < %s",  # noqa: S608
            [instrument_id, from_seconds(start), from_seconds(end)],
        )
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY {table} ({', '.join(ALL)}) FROM STDIN") as copy,
        ):
            for bar in bars:
                copy.write_row(row_of(instrument_id, band_set, bar))


def _lock_day(instrument_id: int, day: int) -> None:
    """Two hours of one day are rolled up one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [instrument_id % 2**31, day // DAY])


def _prepare_partitions(hour: datetime) -> None:
    month = hour.astimezone(UTC)
    partitions.prepare_longer(TABLES[MINUTE], month, by_year=False)
    for size in (HOUR, DAY):
        partitions.prepare_longer(TABLES[size], month, by_year=True)
