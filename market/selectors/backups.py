"""How things stand with backups: by the files in BACKUP_DIR, and by the runs that are written down,
which any process can read wherever the files are."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from market.archive.backup import newest_backup, newest_drill
from market.models import BackupRun


@dataclass(frozen=True)
class Standing:
    """Times in epoch seconds; None: never. `problem`: of the last run, empty where it went well."""

    made_at: float | None
    tried_at: float | None
    sent_at: float | None
    problem: str


def standing() -> Standing:
    """Raises DatabaseError, OSError."""
    kind, state = BackupRun.Kind, BackupRun.State
    done = BackupRun.objects.filter(state=state.DONE)
    backup = done.filter(kind=kind.BACKUP).first()
    drill = done.filter(kind=kind.DRILL).first()
    sent = BackupRun.objects.filter(sent_at__isnull=False).first()
    return Standing(
        made_at=_later(newest_backup(settings.BACKUP_DIR), backup.ended_at if backup else None),
        tried_at=_later(newest_drill(settings.BACKUP_DIR), drill.ended_at if drill else None),
        sent_at=_later(None, sent.sent_at if sent else None),
        problem=_problem(),
    )


def _later(by_file: float | None, by_run: datetime | None) -> float | None:
    times = [by_file, by_run.timestamp() if by_run else None]
    return max((at for at in times if at is not None), default=None)


def _problem() -> str:
    """Of the newest run of each kind that has ended."""
    ended = BackupRun.objects.exclude(state=BackupRun.State.RUNNING)
    newest = [ended.filter(kind=kind).first() for kind in BackupRun.Kind]
    return "; ".join(run.problem for run in newest if run is not None and run.problem)
