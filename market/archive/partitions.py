"""Daily partitions of the 1 s bars, made ahead so that no row waits in the default one."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

TABLE = "market_second_bar"
DAYS_AHEAD = 3
# Any constant: it keeps two writers from making the same partition at once.
LOCK = 7_421_001


def prepare(first: datetime, last: datetime) -> list[str]:
    """Make the missing partitions for the UTC days from `first` to `last`; returns their names.

    Rows of that day which already lie in the default partition move over in the same transaction.
    """
    made = []
    day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= last:
        name = f"{TABLE}_{day:%Y%m%d}"
        if not _exists(name) and _make(TABLE, name, day, day + timedelta(days=1)):
            made.append(name)
        day += timedelta(days=1)
    return made


def prepare_longer(table: str, moment: datetime, *, by_year: bool) -> None:
    """The month's or the year's partition of a table of longer bars."""
    start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if by_year:
        start = start.replace(month=1)
        end, name = start.replace(year=start.year + 1), f"{table}_{start:%Y}"
    else:
        end = (start + timedelta(days=32)).replace(day=1)
        name = f"{table}_{start:%Y%m}"
    if not _exists(name):
        _make(table, name, start, end)


def sort_rest() -> None:
    """Rows of the 1 s bars' default partition get partitions of their own."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT date_trunc('day', time, 'UTC') FROM {TABLE}_rest")  # noqa: S608
        days = [day for (day,) in cursor.fetchall()]
    for day in days:
        prepare(day, day)


def prepare_ahead() -> list[str]:
    now = datetime.now(UTC)
    return prepare(now - timedelta(days=1), now + timedelta(days=DAYS_AHEAD))


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def _make(table: str, name: str, start: datetime, end: datetime) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if _exists(name):
            return False
        # the names are ours and the bounds are dates: nothing here comes from outside
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE time >= %s AND time < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved",
            [start, end],
        )
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
        )
    return True
