"""Imports that were asked for on the staff page: a row each, run by a worker until stopped."""

import time
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

import structlog
from django.db.models import F, QuerySet
from django.utils import timezone

from lib.lazy import Lazy
from market.models import ImportJob
from market.vision.kinds import Kind
from market.vision.progress import Progress, Stopped

if TYPE_CHECKING:
    from market.vision import importing
else:  # with polars
    importing = Lazy("market.vision.importing")

log = structlog.get_logger(__name__)

# A running job that has not moved for so long was killed; it may be started again.
STALE = timedelta(minutes=2)
# So often a job may take its worker with it.
MOST_ATTEMPTS = 3
SAVE_SECONDS = 1.0


def run(job_id: int) -> None:
    """Run a job that waits, or that was killed; others are left alone, and so are all while one
    runs: imports are long, and the worker has other work. Whatever happens in it, the job ends."""
    if _running().exists():
        return
    mine = ImportJob.objects.filter(pk=job_id)
    claimed = mine.filter(state=ImportJob.State.WAITING) | (_killed() & mine)
    if not claimed.update(
        state=ImportJob.State.RUNNING,
        is_to_stop=False,
        updated_at=timezone.now(),
        attempts=F("attempts") + 1,
    ):
        return
    job = ImportJob.objects.get(pk=job_id)
    if job.attempts > MOST_ATTEMPTS:
        state, note = ImportJob.State.FAILED, f"killed {MOST_ATTEMPTS} times, last at: {job.note}"
    else:
        state, note = _import(job)
    _save(job, None, state=state, note=note)
    log.info("import ended", job=job.pk, state=state)


def _import(job: ImportJob) -> tuple[ImportJob.State, str]:
    """(state, what to tell)"""
    progress = Progress(partial(_tell, job, [0.0]))
    try:
        importing.import_days(
            market=job.market,
            symbol=job.symbol,
            kind=cast(Kind, job.kind),
            first=job.first_day,
            last=job.last_day,
            progress=progress,
        )
    except Stopped:
        return ImportJob.State.STOPPED, ""
    except Exception as error:  # noqa: BLE001  (no job may block the next)
        log.exception("import failed", job=job.pk)
        words = [f"{type(error).__name__}: {error}", *progress.damaged, *progress.notes()]
        return ImportJob.State.FAILED, "; ".join(words)
    finally:
        _save(job, progress)
    state = ImportJob.State.FAILED if progress.damaged else ImportJob.State.DONE
    return state, "; ".join([*progress.damaged, *progress.notes()])


def _tell(job: ImportJob, saved_at: list[float], progress: Progress) -> None:
    if time.monotonic() - saved_at[0] < SAVE_SECONDS:
        return
    saved_at[0] = time.monotonic()
    _save(job, progress, note=progress.name)
    if ImportJob.objects.filter(pk=job.pk, is_to_stop=True).exists():
        raise Stopped


def _save(job: ImportJob, progress: Progress | None, **fields: str) -> None:
    figures: dict[str, int] = {}
    if progress is not None and progress.has_taken_one:
        figures["attempts"] = 0  # it gets on, however often it is killed
    if progress is not None:
        figures |= {
            "files": progress.files,
            "files_done": progress.files_done,
            "rows": progress.rows,
            "rows_per_second": progress.rows_per_second,
        }
    ImportJob.objects.filter(pk=job.pk).update(**figures, **fields, updated_at=timezone.now())


def next_one() -> int | None:
    """The job that may run now: the oldest that waits, or that was killed; one that was killed
    often comes behind those that were not."""
    if _running().exists():
        return None
    waiting = ImportJob.objects.filter(state=ImportJob.State.WAITING)
    ready = (_killed() | waiting).order_by("attempts", "created_at")
    return ready.values_list("pk", flat=True).first()


def _running() -> QuerySet[ImportJob]:
    since = timezone.now() - STALE
    return ImportJob.objects.filter(state=ImportJob.State.RUNNING, updated_at__gte=since)


def _killed() -> QuerySet[ImportJob]:
    since = timezone.now() - STALE
    return ImportJob.objects.filter(state=ImportJob.State.RUNNING, updated_at__lt=since)


def ask(
    *, market: str, symbol: str, kind: str, first_day: date, last_day: date, asked_by: str
) -> ImportJob:
    return ImportJob.objects.create(
        market=market,
        symbol=symbol,
        kind=kind,
        first_day=first_day,
        last_day=last_day,
        asked_by=asked_by,
    )


def stop(job_id: int) -> None:
    """A running job ends at its next chunk, a waiting one never begins."""
    ImportJob.objects.filter(pk=job_id, state=ImportJob.State.WAITING).update(
        state=ImportJob.State.STOPPED
    )
    ImportJob.objects.filter(pk=job_id).update(is_to_stop=True)


def go_on(job_id: int) -> bool:
    """Let a job that stopped, failed or was killed wait again; files that are in are skipped."""
    ended = [ImportJob.State.STOPPED, ImportJob.State.FAILED]
    mine = ImportJob.objects.filter(pk=job_id)
    jobs = mine.filter(state__in=ended) | (_killed() & mine)
    return bool(jobs.update(state=ImportJob.State.WAITING, is_to_stop=False, attempts=0))
