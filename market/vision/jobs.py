"""Imports that were asked for on the staff page: a row each, run by a worker until stopped."""

import time
from datetime import date, timedelta
from functools import partial
from typing import cast

import redis
import structlog
from django.db import Error as DatabaseError
from django.utils import timezone

from market.collector.rebuild import NotYet
from market.models import ImportJob
from market.vision.importing import Progress, Stopped, import_days
from market.vision.rows import Damaged, Kind

log = structlog.get_logger(__name__)

# A running job that has not moved for so long was killed; it may be started again.
STALE = timedelta(minutes=2)
SAVE_SECONDS = 1.0


def run(job_id: int) -> None:
    """Run a job that waits, or that was killed; others are left alone, and so are all while one
    runs: imports are long, and the worker has other work."""
    stale = timezone.now() - STALE
    running = ImportJob.objects.filter(state=ImportJob.State.RUNNING, updated_at__gte=stale)
    if running.exists():
        return
    claimed = ImportJob.objects.filter(pk=job_id, state=ImportJob.State.WAITING) | (
        ImportJob.objects.filter(
            pk=job_id, state=ImportJob.State.RUNNING, updated_at__lt=stale
        )
    )  # fmt: skip
    now = timezone.now()
    if not claimed.update(state=ImportJob.State.RUNNING, is_to_stop=False, updated_at=now):
        return
    job = ImportJob.objects.get(pk=job_id)
    state, note = _import(job)
    _save(job, None, state=state, note=note)
    log.info("import ended", job=job.pk, state=state)


def _import(job: ImportJob) -> tuple[str, str]:
    """(state, what to tell)"""
    progress = Progress(partial(_tell, job, [0.0]))
    try:
        import_days(
            market=job.market, symbol=job.symbol, kind=cast(Kind, job.kind),
            first=job.first_day, last=job.last_day, progress=progress,
        )  # fmt: skip
    except Stopped:
        return ImportJob.State.STOPPED, ""
    except (Damaged, ValueError, OSError, NotYet, redis.RedisError, DatabaseError) as error:
        log.warning("import failed", job=job.pk, error=type(error).__name__)
        return ImportJob.State.FAILED, str(error)
    finally:
        _save(job, progress)
    notes = [f"{len(progress.skipped)} files were in already"] if progress.skipped else []
    notes += [f"the archive does not have {name}" for name in progress.absent]
    if progress.differing:
        notes.append(f"{len(progress.differing)} seconds differ from what was collected")
    return ImportJob.State.DONE, "; ".join(notes)


def _tell(job: ImportJob, saved_at: list[float], progress: Progress) -> None:
    if time.monotonic() - saved_at[0] < SAVE_SECONDS:
        return
    saved_at[0] = time.monotonic()
    _save(job, progress, note=progress.name)
    if ImportJob.objects.filter(pk=job.pk, is_to_stop=True).exists():
        raise Stopped


def _save(job: ImportJob, progress: Progress | None, **fields: str) -> None:
    figures: dict[str, int] = {}
    if progress is not None:
        figures = {
            "files": progress.files, "files_done": progress.files_done, "rows": progress.rows,
            "rows_per_second": progress.rows_per_second,
        }  # fmt: skip
    ImportJob.objects.filter(pk=job.pk).update(**figures, **fields, updated_at=timezone.now())


def next_one() -> int | None:
    """The job that may run now: the oldest that waits, or that was killed."""
    stale = timezone.now() - STALE
    killed = ImportJob.objects.filter(state=ImportJob.State.RUNNING, updated_at__lt=stale)
    waiting = ImportJob.objects.filter(state=ImportJob.State.WAITING)
    if ImportJob.objects.filter(state=ImportJob.State.RUNNING, updated_at__gte=stale).exists():
        return None
    return (killed | waiting).order_by("created_at").values_list("pk", flat=True).first()


def ask(
    *, market: str, symbol: str, kind: str, first_day: date, last_day: date, asked_by: str
) -> ImportJob:
    return ImportJob.objects.create(
        market=market, symbol=symbol, kind=kind, first_day=first_day, last_day=last_day,
        asked_by=asked_by,
    )  # fmt: skip


def stop(job_id: int) -> None:
    """A running job ends at its next chunk, a waiting one never begins."""
    ImportJob.objects.filter(pk=job_id, state=ImportJob.State.WAITING).update(
        state=ImportJob.State.STOPPED
    )
    ImportJob.objects.filter(pk=job_id).update(is_to_stop=True)


def go_on(job_id: int) -> bool:
    """Let a job that stopped, failed or was killed wait again; files that are in are skipped."""
    ended = [ImportJob.State.STOPPED, ImportJob.State.FAILED]
    stale = timezone.now() - STALE
    found = ImportJob.objects.filter(pk=job_id, state__in=ended) | ImportJob.objects.filter(
        pk=job_id, state=ImportJob.State.RUNNING, updated_at__lt=stale
    )
    return bool(found.update(state=ImportJob.State.WAITING, is_to_stop=False))
