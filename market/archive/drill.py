"""A trial restore: the newest backup into a database of its own beside ours, every row compared."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connection
from psycopg import sql

from market.archive import programs
from market.archive.backup import digests, drill_mark, need_equal
from market.archive.programs import BackupError

log = structlog.get_logger(__name__)

LONGEST_NAME = 63


def try_restoring(path: Path) -> int:
    """The number of tables that came back as they were; the trial database is gone again, and
    `path`.restored says so. Raises BackupError."""
    if not path.is_file():
        raise BackupError(f"expected a backup file, was {path}")
    try:
        with _trial_database() as name:
            options = ["--no-owner", "--no-privileges", "--exit-on-error"]
            programs.run(["pg_restore", *options, str(path)], database=name)
            with _connected(name) as trial, trial.transaction(), trial.cursor() as cursor:
                tables = digests(cursor)
    except psycopg.Error as error:
        raise BackupError(f"the trial database: {str(error).strip()[:300]}") from error
    need_equal(path, tables)
    with contextlib.suppress(OSError):  # a backup on a disk that may only be read
        drill_mark(path).write_text(f"{len(tables)} tables, every row as it was backed up\n")
    log.info("backup restored for a try", file=path.name, tables=len(tables))
    return len(tables)


@contextlib.contextmanager
def _trial_database() -> Iterator[str]:
    """An empty database; one that a killed trial has left goes first. Raises psycopg.Error."""
    name = f"{connection.settings_dict['NAME']}_drill"[:LONGEST_NAME]
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with _connected() as server:
        server.execute(drop)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
        try:
            yield name
        finally:
            server.execute(drop)


def _connected(database: str = "") -> psycopg.Connection[Any]:
    password = str(settings.DATABASES["default"]["PASSWORD"])
    return psycopg.connect(programs.address(database), password=password, autocommit=True)
