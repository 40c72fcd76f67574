"""Backups by the schedule: made, thinned, taken away, tried; each run is written down."""

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from market.archive import programs
from market.archive.backup import Backup, backup_and_thin, newest_file
from market.archive.drill import try_restoring
from market.archive.installed import installed_at
from market.archive.programs import BackupError
from market.models import BackupRun

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

# A number of ours among PostgreSQL's advisory locks.
ONE_AT_A_TIME = 7_116_002
DAY = timedelta(days=1)
# What failed is tried again after this.
RETRY_AFTER = timedelta(hours=1)
RUNS_KEPT_FOR = timedelta(days=400)
LONGEST_SENDING_SECONDS = 3 * 3600.0
# What a command that takes a backup away has no need to know.
OURS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "METRICS_TOKEN", "TELEGRAM_BOT_TOKEN")


def work_through(now: datetime | None = None) -> None:
    """What is due: a backup, one that was not taken away yet, a trial restore."""
    now = now or timezone.now()
    with _alone() as is_alone:
        if not is_alone or settings.BACKUP_HOUR < 0:
            return
        BackupRun.objects.filter(started_at__lt=now - RUNS_KEPT_FOR).delete()
        with contextlib.suppress(BackupError):  # written down
            if is_backup_due(now):
                _back_up(settings.BACKUP_KEEP)
            elif unsent := _unsent(now):
                _send(unsent)
            if is_drill_due(now):
                _drill()


def back_up(keep: int) -> tuple[Backup, list[str]]:
    """A backup now, whether one is due or not. Raises BackupError."""
    with _alone() as is_alone:
        if not is_alone:
            raise BackupError("expected no other backup at work: one is")
        return _back_up(keep)


def drill() -> BackupRun:
    """A trial restore of the newest backup now. Raises BackupError."""
    with _alone() as is_alone:
        if not is_alone:
            raise BackupError("expected no other backup at work: one is")
        return _drill()


def is_backup_due(now: datetime) -> bool:
    """Whether the hour of backups has passed since the last one, or since this installation is. A
    machine that was off then makes it when it is on again."""
    hour = now.replace(hour=settings.BACKUP_HOUR, minute=0, second=0, microsecond=0)
    if hour > now:
        hour -= DAY
    runs = BackupRun.objects.filter(kind=BackupRun.Kind.BACKUP)
    done = runs.filter(state=BackupRun.State.DONE).first()
    since: datetime = done.started_at if done else installed_at()
    return since < hour and not runs.filter(started_at__gt=now - RETRY_AFTER).exists()


def is_drill_due(now: datetime) -> bool:
    if not settings.BACKUP_DRILL_DAYS or newest_file(settings.BACKUP_DIR) is None:
        return False
    runs = BackupRun.objects.filter(kind=BackupRun.Kind.DRILL)
    since = now - timedelta(days=settings.BACKUP_DRILL_DAYS)
    if runs.filter(state=BackupRun.State.DONE, started_at__gt=since).exists():
        return False
    # a trial costs as much as a restore: what failed is tried again the next day
    return not runs.filter(started_at__gt=now - DAY).exists()


def _back_up(keep: int) -> tuple[Backup, list[str]]:
    def make(run: BackupRun) -> tuple[Backup, list[str]]:
        done, gone = backup_and_thin(settings.BACKUP_DIR, keep)
        run.file, run.tables = done.path.name, len(done.tables)
        run.size_bytes = done.path.stat().st_size
        return done, gone

    run, result = _written_down(BackupRun.Kind.BACKUP, make)
    _send(run)
    return result


def _drill() -> BackupRun:
    def restore(run: BackupRun) -> None:
        path = newest_file(settings.BACKUP_DIR)
        if path is None:
            raise BackupError(f"expected a backup in {settings.BACKUP_DIR}, found none")
        run.file, run.size_bytes = path.name, path.stat().st_size
        run.tables = try_restoring(path)

    return _written_down(BackupRun.Kind.DRILL, restore)[0]


def _written_down(kind: str, work: Callable[[BackupRun], Result]) -> tuple[BackupRun, Result]:
    """Raises BackupError, whose sentence the run keeps."""
    # who is alone knows that whatever still runs was killed
    BackupRun.objects.filter(state=BackupRun.State.RUNNING).update(
        state=BackupRun.State.FAILED, problem="killed before its end", ended_at=timezone.now()
    )
    run = BackupRun.objects.create(kind=kind)
    try:
        result = work(run)
    except (BackupError, OSError) as error:
        run.state, run.problem = BackupRun.State.FAILED, str(error)[:1000]
        log.error("backup failed", kind=kind, run=run.pk)
        raise BackupError(str(error)) from error
    else:
        run.state = BackupRun.State.DONE
    finally:
        run.ended_at = timezone.now()
        if run.state == BackupRun.State.RUNNING:
            run.state, run.problem = BackupRun.State.FAILED, "ended by an error (log)"
        run.save()
    return run, result


def _unsent(now: datetime) -> BackupRun | None:
    """The newest backup, where it has not been taken away and it is time to try again."""
    backups = BackupRun.objects.filter(kind=BackupRun.Kind.BACKUP, state=BackupRun.State.DONE)
    run: BackupRun | None = backups.first()
    if run is None or run.sent_at is not None or not settings.BACKUP_COMMAND:
        return None
    is_early = run.send_tried_at is not None and run.send_tried_at > now - RETRY_AFTER
    return None if is_early else run


def _send(run: BackupRun) -> None:
    """Take a backup away by the operator's command, without a shell; a failure is written down and
    tried again, and the backup stays."""
    if not settings.BACKUP_COMMAND:
        return
    run.send_tried_at = timezone.now()
    try:
        programs.call(
            command_for(settings.BACKUP_DIR / run.file), _plain(), LONGEST_SENDING_SECONDS
        )
    except BackupError as error:
        run.problem = f"not taken away: {error}"[:1000]
        log.error("backup not taken away", run=run.pk)
    else:
        run.sent_at, run.problem = timezone.now(), ""
        log.info("backup taken away", run=run.pk)
    run.save(update_fields=["send_tried_at", "sent_at", "problem"])


def command_for(path: Path) -> list[str]:
    """`rsync -a {file} {file}.json host:/tapelog/` -> its words with the names in them."""
    places = {"{file}": str(path), "{folder}": str(path.parent)}
    words = shlex.split(settings.BACKUP_COMMAND)
    for place, name in places.items():
        words = [word.replace(place, name) for word in words]
    return words


def _plain() -> dict[str, str]:
    """Our environment without our secrets."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


@contextlib.contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process makes or tries a backup."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
