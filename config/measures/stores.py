"""PostgreSQL, Valkey, queues, disks and backups."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from prometheus_client.core import GaugeMetricFamily

from alerts.evaluation.system import QUEUES
from lib.gauges import by_label, gauge
from market.hot.client import hot_client
from market.selectors.backups import standing

PLACES = ("DATA_DIR", "ARCHIVE_DIR", "MEDIA_ROOT", "BACKUP_DIR")


def valkey() -> Iterator[GaugeMetricFamily]:
    """Raises RedisError."""
    client = hot_client()
    info: Any = client.info()
    yield gauge("tapelog_valkey_memory_bytes", "Memory in use", info["used_memory"])
    text = "Most that it may use; 0: no limit"
    yield gauge("tapelog_valkey_memory_limit_bytes", text, info.get("maxmemory", 0))
    yield gauge("tapelog_valkey_clients", "Connections", info["connected_clients"])
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    lengths: dict[str, Any] = {name: client.llen(f"{prefix}{name}") for name in QUEUES}
    yield by_label("tapelog_queue_length", "Tasks that wait", "queue", QUEUES, lengths)


def postgresql() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        yield gauge("tapelog_postgresql_size_bytes", "Size of the database", cursor.fetchone()[0])
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity "
            "WHERE backend_type = 'client backend'"
        )
        open_now, most = cursor.fetchone()
        yield gauge("tapelog_postgresql_connections", "Open connections", open_now)
        yield gauge("tapelog_postgresql_connections_limit", "Most there may be", most)
        cursor.execute(
            "SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0) "
            "FROM pg_stat_activity WHERE xact_start IS NOT NULL AND datname = current_database()"
        )
        text = "Age of the oldest transaction"
        yield gauge(
            "tapelog_postgresql_oldest_transaction_seconds", text, float(cursor.fetchone()[0])
        )


def machine() -> Iterator[GaugeMetricFamily]:
    """Raises OSError."""
    usage = {name: shutil.disk_usage(_existing(Path(getattr(settings, name)))) for name in PLACES}
    free = {name: float(used.free) for name, used in usage.items()}
    size = {name: float(used.total) for name, used in usage.items()}
    yield by_label("tapelog_disk_free_bytes", "Room on the disk of it", "place", PLACES, free)
    yield by_label("tapelog_disk_size_bytes", "Size of the disk of it", "place", PLACES, size)


def backups() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError, OSError."""
    seen = standing()
    text = "When the newest backup was made; 0: there is none"
    yield gauge("tapelog_backup_timestamp_seconds", text, seen.made_at or 0)
    text = "When a backup was last restored and compared; 0: never"
    yield gauge("tapelog_backup_drill_timestamp_seconds", text, seen.tried_at or 0)
    text = "When a backup was last taken away by BACKUP_COMMAND; 0: never"
    yield gauge("tapelog_backup_sent_timestamp_seconds", text, seen.sent_at or 0)
    text = "Whether backups are to be taken away"
    yield gauge("tapelog_backup_to_be_sent", text, float(bool(settings.BACKUP_COMMAND)))
    text = "Whether the last backup, taking away or trial restore went wrong"
    yield gauge("tapelog_backup_failing", text, float(bool(seen.problem)))


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
