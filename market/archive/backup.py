"""The whole database as one file by pg_dump, and back, with a digest of every table's rows.

Redis is not in it: tapes resume from PostgreSQL's cursor and fetch what is missing by ids. Key
files (KEK_DIR) are not in it either, on purpose: keep them apart.
"""

import contextlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
import structlog
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from market.archive import programs
from market.archive.programs import BackupError
from market.hot.client import hot_client
from market.models import CollectorLease

log = structlog.get_logger(__name__)

# How backups without a name of their own are called: sorted by name they are sorted by time.
NAMED = "tapelog-%Y%m%dT%H%M%SZ.dump"
OURS = re.compile(r"tapelog-\d{8}T\d{6}Z\.dump")
RESET = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n"


@dataclass(frozen=True)
class Backup:
    """`tables`: name -> count and digest of its rows, all of one moment."""

    path: Path
    tables: dict[str, str]
    # every row was compared with what was backed up
    is_compared: bool = True


def backup(path: Path) -> Backup:
    """Write `path` (pg_dump's custom format) and `path`.json. Raises BackupError."""
    part = path.with_name(path.name + ".part")
    try:
        tables = _dump(part)
        _manifest(path).write_text(json.dumps(tables, indent=1, sort_keys=True))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    log.info("backup written", file=str(path), tables=len(tables))
    return Backup(path, tables)


def _dump(part: Path) -> dict[str, str]:
    """Everything of one moment into `part`; digests of the same moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        part.touch(mode=0o600)  # it holds password hashes
        programs.run(["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={part}"])
        return digests(cursor)


def backup_and_thin(folder: Path, keep: int) -> tuple[Backup, list[str]]:
    """A new backup in `folder`; of those that were made so the newest `keep` stay. Returns it and
    the names of those that went. Raises BackupError: then none has gone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = backup(folder / timezone.now().strftime(NAMED))
    names = sorted(path.name for path in folder.iterdir() if OURS.fullmatch(path.name))
    old = names[: -max(1, keep)]
    tried_at = newest_drill(folder)
    for name in old:
        for path in (folder / name, _manifest(folder / name)):
            path.unlink(missing_ok=True)
        mark = drill_mark(folder / name)
        # the last trial restore counts for longer than its backup is kept
        if mark.is_file() and mark.stat().st_mtime != tried_at:
            mark.unlink()
    return done, old


def newest_backup(folder: Path) -> float | None:
    """When the newest whole backup in `folder` was made (epoch s); None: there is none."""
    path = newest_file(folder)
    return None if path is None else path.stat().st_mtime


def newest_file(folder: Path) -> Path | None:
    """The newest whole backup in `folder`."""
    whole = [path for path in _files(folder) if _manifest(path).is_file()]
    return max(whole, key=lambda path: path.stat().st_mtime, default=None)


def newest_drill(folder: Path) -> float | None:
    """When one of the backups in `folder` was last restored and compared (epoch s)."""
    marks = folder.glob("*.dump.restored") if folder.is_dir() else ()
    return max((mark.stat().st_mtime for mark in marks), default=None)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and path.suffix == ".dump"]


def drill_mark(path: Path) -> Path:
    """The file that says that the backup was restored, and how."""
    return path.with_name(f"{path.name}.restored")


def restore(path: Path) -> Backup:
    """Redis forgets its tapes, everything in the database is replaced by a backup in one
    transaction, every table is compared, and this version's migrations run.

    Raises BackupError: a backup that cannot be read or restored has changed nothing in PostgreSQL.
    """
    if not path.is_file():
        raise BackupError(f"expected a backup file, was {path}")
    holders = _holders()
    if holders:
        raise BackupError(f"expected Tapelog to be stopped, running: {', '.join(holders)}")
    script = path.with_name(f".{path.name}.{os.getpid()}.sql")
    script.touch(mode=0o600)
    try:
        with script.open("w") as file:
            file.write(RESET)
            file.flush()
            programs.run(
                ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(path)], file
            )
        _forget_tapes()
        connection.close()
        options = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        programs.run(["psql", *options, f"--file={script}"], subprocess.DEVNULL)
    finally:
        script.unlink()
    tables = _compare(path)
    call_command("migrate", verbosity=0, interactive=False)
    is_compared = _manifest(path).is_file()
    if is_compared:
        with contextlib.suppress(OSError):  # a backup on a disk that may only be read
            drill_mark(path).write_text(f"{len(tables)} tables, every row as it was backed up\n")
    log.info("backup restored", file=str(path), tables=len(tables))
    return Backup(path, tables, is_compared)


def digests(cursor: Any) -> dict[str, str]:
    """Each table -> count, and a sum over a hash of every row, whatever their order; by a cursor
    inside a transaction."""
    result: dict[str, str] = {}
    cursor.execute("SET LOCAL timezone = 'UTC'")
    cursor.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "ORDER BY 1"
    )
    for (name,) in cursor.fetchall():
        cursor.execute(
            f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) "  # noqa: S608
            f'FROM "{name}" t'
        )
        result[name] = " ".join(map(str, cursor.fetchone()))
    return result


def _compare(path: Path) -> dict[str, str]:
    """The restored rows have to be those that were backed up."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        tables = digests(cursor)
    need_equal(path, tables)
    return tables


def need_equal(path: Path, tables: dict[str, str]) -> None:
    """Raises BackupError where restored rows are not those of the backup's FILE.json."""
    manifest = _manifest(path)
    if manifest.is_file():
        expected: dict[str, str] = json.loads(manifest.read_text())
        wrong = [name for name in expected if tables.get(name) != expected[name]]
        if wrong:
            raise BackupError(f"restored, but rows differ from the backup: {', '.join(wrong)}")


def _holders() -> list[str]:
    if "market_collectorlease" not in connection.introspection.table_names():
        return []  # an empty database
    held = CollectorLease.objects.filter(until__gt=timezone.now()).exclude(holder="")
    return sorted(set(held.values_list("holder", flat=True)))


def _forget_tapes() -> None:
    """What Redis knows is of another time than PostgreSQL now."""
    client = hot_client()
    try:
        for key in client.scan_iter("tl:tape:*", count=1000):
            client.delete(key)
    except redis.RedisError as error:
        raise BackupError("expected Redis to answer: its tapes have to go") from error


def _manifest(path: Path) -> Path:
    return path.with_name(path.name + ".json")
