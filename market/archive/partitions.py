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
        if not _exists(name) and _make(name, day):
            made.append(name)
        day += timedelta(days=1)
    return made


def prepare_ahead() -> list[str]:
    now = datetime.now(UTC)
    return prepare(now - timedelta(days=1), now + timedelta(days=DAYS_AHEAD))


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def _make(name: str, day: datetime) -> bool:
    end = day + timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if _exists(name):
            return False
        # the names are ours and the bounds are dates: nothing here comes from outside
        cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING ALL)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {TABLE}_rest WHERE time >= %s AND time < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved",
            [day, end],
        )
        cursor.execute(
            f"ALTER TABLE {TABLE} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{day.isoformat()}') TO ('{end.isoformat()}')"
        )
    return True
