"""How long bars stay in PostgreSQL: whole partitions go after the longest policy, as Parquet first;
what a shorter policy does not keep is deleted in batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from lib.dates import to_seconds
from market.archive import audits, marks, parquet, partitions, pins
from market.archive.rollups import TABLES, roll_up_hour
from market.models import ArchiveHour, Instrument, Retention

log = structlog.get_logger(__name__)

GRAINS = {
    "1s": partitions.TABLE,
    "1m": TABLES[60],
    "1h": TABLES[3600],
    "1d": TABLES[86_400],
}
ROWS_A_BATCH = 20_000
LOCK_SECONDS = 5
# A number of ours among PostgreSQL's advisory locks.
ONE_AT_A_TIME = 7_116_001
# No policy keeps less.
FEWEST_DAYS = 2


@dataclass(frozen=True)
class Partition:
    name: str
    start: datetime
    end: datetime


def retain_alone() -> None:
    """`retain`, unless another one is at work: it may take longer than the pause between two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        if not cursor.fetchone()[0]:
            log.info("retention is at work already")
            return
    try:
        retain()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])


def retain(now: datetime | None = None) -> list[str]:
    """Apply every policy; returns the dropped partitions. Killed anywhere, the next run goes on."""
    now = now or timezone.now()
    if _is_importing():
        log.info("an import is at work: nothing is dropped this time")
        return []
    partitions.sort_rest()
    marks.drop_old_marks(now)
    audits.drop_old(now)
    dropped: list[str] = []
    for grain, table in GRAINS.items():
        days = _policies(grain)
        if not days:
            continue
        longest = None if None in days.values() else max(kept or 0 for kept in days.values())
        if longest is not None:
            before = _horizon(now, longest)
            dropped += [part.name for part in _old(table, before) if _try_drop(grain, table, part)]
        for instrument_id, kept in days.items():
            if kept is not None and kept != longest:
                _try_delete(grain, table, instrument_id, _horizon(now, kept))
    return dropped


def _is_importing() -> bool:
    """Half of a day must not leave while its other half comes in."""
    return Instrument.objects.filter(importing_until__gt=timezone.now()).exists()


def _policies(grain: str) -> dict[int, int | None]:
    """Days by instrument, None for ever."""
    rows = {row.instrument_id: row.days for row in Retention.objects.filter(grain=grain)}
    general = rows[None] if None in rows else _default(grain)
    return {pk: rows.get(pk, general) for pk in Instrument.objects.values_list("pk", flat=True)}


def _default(grain: str) -> int | None:
    """Where nobody has said how long."""
    days = settings.RETENTION_SECONDS_DAYS if grain == "1s" else 0
    return max(days, FEWEST_DAYS) if days else None


def _horizon(now: datetime, days: int) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days)


def _old(table: str, before: datetime) -> Iterator[Partition]:
    """Partitions that end before a moment, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass "
            "ORDER BY c.relname",
            [table],
        )
        rows = cursor.fetchall()
    for name, bound in rows:
        words = bound.split("'")  # FOR VALUES FROM ('…') TO ('…')
        if len(words) == 5:
            start, end = (datetime.fromisoformat(word) for word in words[1::2])
            if end <= before:
                yield Partition(name, start, end)


def _try_drop(grain: str, table: str, part: Partition) -> bool:
    try:
        return _drop(grain, table, part)
    except Exception:  # noqa: BLE001  (one ill partition stays, the others go)
        log.exception("partition not dropped", partition=part.name)
        return False


def _try_delete(grain: str, table: str, instrument_id: int, before: datetime) -> None:
    try:
        _delete(grain, table, instrument_id, before)
    except Exception:  # noqa: BLE001  (one ill market stops no other)
        log.exception("bars not deleted", instrument=instrument_id, grain=grain)


def _drop(grain: str, table: str, part: Partition) -> bool:
    """Write it as Parquet, then drop it, unless a writer changed it meanwhile."""
    if grain == "1s":
        _roll_up(None, part.start, part.end)
        for instrument in Instrument.objects.all():
            pins.keep(instrument, to_seconds(part.start), to_seconds(part.end))
    digest = parquet.write(grain, part.name)
    try:
        return _drop_as_written(grain, table, part, digest)
    except OperationalError as error:  # a lock did not come: the next run tries again
        log.warning("partition in use", partition=part.name, error=type(error).__name__)
        return False


@transaction.atomic
def _drop_as_written(grain: str, table: str, part: Partition, digest: str) -> bool:
    due = ArchiveHour.objects.filter(hour__gte=part.start, hour__lt=part.end)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute(f"LOCK TABLE {part.name} IN SHARE MODE")  # readers go on
        is_due = grain == "1s" and due.filter(is_done=False, is_pruned=False).exists()
        if is_due or _is_importing() or parquet.digest(part.name) != digest:
            log.warning("partition changed while it was written", partition=part.name)
            return False
        if grain == "1s":
            due.update(is_pruned=True)
        cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {part.name}")
        cursor.execute(f"DROP TABLE {part.name}")
    log.info("partition dropped", partition=part.name)
    return True


def _delete(grain: str, table: str, instrument_id: int, before: datetime) -> None:
    if grain == "1s":
        _roll_up(instrument_id, None, before)
        _keep_pinned(instrument_id, before)
        ArchiveHour.objects.filter(
            instrument_id=instrument_id, hour__lt=before, is_pruned=False
        ).update(is_pruned=True)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE instrument_id = %s AND time IN (SELECT time FROM "  # noqa: S608
                f"{table} WHERE instrument_id = %s AND time < %s ORDER BY time LIMIT %s) "
                "AND time < %s",
                [instrument_id, instrument_id, before, ROWS_A_BATCH, before],
            )
            if cursor.rowcount < ROWS_A_BATCH:
                return


def _keep_pinned(instrument_id: int, before: datetime) -> None:
    """Of the hours that have their seconds still."""
    hours = ArchiveHour.objects.filter(
        instrument_id=instrument_id, hour__lt=before, is_pruned=False
    )
    oldest = hours.order_by("hour").values_list("hour", flat=True).first()
    if oldest is not None:
        instrument = Instrument.objects.get(pk=instrument_id)
        pins.keep(instrument, to_seconds(oldest), to_seconds(before))


def _roll_up(instrument_id: int | None, start: datetime | None, end: datetime) -> None:
    """No second goes before its longer bars are there."""
    due = ArchiveHour.objects.filter(is_done=False, is_pruned=False, hour__lt=end)
    if instrument_id is not None:
        due = due.filter(instrument_id=instrument_id)
    if start is not None:
        due = due.filter(hour__gte=start)
    for pk in list(due.values_list("pk", flat=True)):
        roll_up_hour(pk)
