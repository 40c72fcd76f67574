"""Minutes, hours and days in PostgreSQL, rolled up from the 1 s bars of whole hours.

An hour is due when its 1 s bars have changed since it was rolled up (`ArchiveHour`). Its row is
locked while its bars are replaced, so a late write waits and makes it due again: killed on any line
or overtaken by a rebuild, nothing is doubled and nothing stays old.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from lib.dates import from_seconds, to_seconds
from market.archive import partitions
from market.archive.seconds import ALL, load, row_of
from market.flow.bars import Bar, roll_up
from market.models import ArchiveHour

log = structlog.get_logger(__name__)

MINUTE, HOUR, DAY = 60, 3600, 86_400
TABLES = {MINUTE: "market_minute_bar", HOUR: "market_hour_bar", DAY: "market_day_bar"}
# An hour that is still written to is read from its 1 s bars.
SETTLED = timedelta(minutes=10)
HOURS_A_RUN = 500
# So many that cannot be rolled up do not keep the others from their turn.
ILL_HOURS = 200
REOPEN = """
UPDATE market_archivehour AS due SET is_pruned = false, is_done = false
WHERE due.instrument_id = %s AND due.is_pruned AND due.hour >= %s AND due.hour < %s
  AND coalesce((SELECT trades FROM market_hour_bar AS bar WHERE bar.time = due.hour
                AND bar.instrument_id = due.instrument_id), 0)
   <= (SELECT coalesce(sum(trades), 0) FROM market_second_bar AS second
       WHERE second.instrument_id = due.instrument_id AND second.time >= due.hour
         AND second.time < due.hour + interval '1 hour')
"""


def roll_up_due(now: datetime | None = None, limit: int = HOURS_A_RUN) -> int:
    """Roll up hours that are due and over, oldest first; returns how many. One that cannot be is
    told and tried again with the next run."""
    before = (now or timezone.now()) - SETTLED - timedelta(hours=1)
    due = ArchiveHour.objects.filter(is_done=False, hour__lte=before).order_by("hour")
    done = looked_at = 0
    for pk in list(due.values_list("pk", flat=True)[: limit + ILL_HOURS]):
        if looked_at >= limit:
            break
        try:
            done += roll_up_hour(pk)
            looked_at += 1
        except (OperationalError, InterfaceError):
            raise  # nobody's hour
        except Exception:  # noqa: BLE001  (one ill hour stops no other)
            log.exception("hour not rolled up", hour=pk)
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


def reopen_hours(instrument_id: int, start: int, end: int) -> None:
    """Hours between (epoch s) whose 1 s bars had gone are rolled up again where all are back: at
    least as many trades as the hour's own bar has."""
    with connection.cursor() as cursor:
        cursor.execute(
            REOPEN, [instrument_id, from_seconds(start - start % HOUR), from_seconds(end)]
        )


def due_stretches(instrument_id: int, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches of whole hours (epoch s) whose longer bars are not up to date, oldest first."""
    hours = ArchiveHour.objects.filter(
        instrument_id=instrument_id,
        is_done=False,
        is_pruned=False,
        hour__gte=from_seconds(start - start % HOUR),
        hour__lt=from_seconds(end),
    )
    stretches: list[tuple[int, int]] = []
    for hour in hours.order_by("hour").values_list("hour", flat=True):
        at = to_seconds(hour)
        if stretches and stretches[-1][1] == at:
            stretches[-1] = stretches[-1][0], at + HOUR
        else:
            stretches.append((at, at + HOUR))
    return stretches


def pruned_hours(instrument_id: int, start: int, end: int) -> list[int]:
    """Open times (epoch s) of hours whose 1 s bars retention took."""
    hours = ArchiveHour.objects.filter(
        instrument_id=instrument_id,
        is_pruned=True,
        hour__gte=from_seconds(start - start % HOUR),
        hour__lt=from_seconds(end),
    )
    return [to_seconds(hour) for hour in hours.order_by("hour").values_list("hour", flat=True)]


def load_longest(
    instrument_id: int, start: int, end: int, length: int, band_set: str
) -> dict[int, Bar]:
    """Bars of start <= t < end (epoch s) of which bars of `length` seconds can be rolled up: as
    long as they may be; 1 s bars for the hours that are not rolled up yet."""
    bars: dict[int, Bar] = {}
    for first, last in due_stretches(instrument_id, start, end):
        if start < first:
            bars |= _longest(instrument_id, start, first, length, band_set)
        begin, stop = max(start, first), min(end, last)
        bars |= load(instrument_id, begin, stop, band_set)
        start = stop
    return bars | _longest(instrument_id, start, end, length, band_set)


def _longest(
    instrument_id: int, start: int, end: int, length: int, band_set: str
) -> dict[int, Bar]:
    """The same of a stretch that is rolled up."""
    bars: dict[int, Bar] = {}
    for size in (DAY, HOUR, MINUTE):
        if length % size or start >= end:
            continue
        first, last = -(-start // size) * size, end // size * size
        if first >= last:
            continue
        if start < first:  # what sticks out in front, in shorter bars
            bars |= _longest(instrument_id, start, first, MINUTE, band_set)
        bars |= load(instrument_id, first, last, band_set, TABLES[size])
        start = last
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
