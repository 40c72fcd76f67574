"""The beat of the schedule: a process of its own, or on one machine a thread of a worker. What the
admin changes in it counts within a few seconds."""

import math
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from celery import bootsteps
from celery.beat import Service
from celery.schedules import schedstate
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from django.utils.module_loading import import_string
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

log = structlog.get_logger(__name__)

ASK_SECONDS = 5.0
# Celery's own: it sleeps so many seconds less than it is told to.
EARLY = 0.01
# Of what comes every second or so: what is asked before a worker is asked, which costs more.
ASKS_FIRST = {
    "alerts.deliver": "alerts.services.outbox.is_due",
    "trading.resolve": "trading.tasks.is_anything_to_resolve",
    "trading.follow": "trading.tasks.is_anybody_trading",
}
AGAIN_SECONDS, STOP_SECONDS = 3.0, 5.0


class Entry(ModelEntry):  # type: ignore[misc]
    """One that comes every so many seconds, for ever, compares two moments; its base class goes
    through zones and calendars for it. It may come a hundredth of a second early, which is when the
    beat wakes: else the beat asks it without a pause until it is due."""

    def is_due(self) -> Any:
        model = self.model
        if model.interval is None or not model.enabled or model.one_off:
            return super().is_due()
        if model.start_time is not None or model.expires is not None:
            return super().is_due()
        every = self.schedule.run_every.total_seconds()
        left = every - (timezone.now() - self.last_run_at).total_seconds()
        return schedstate(is_due=left <= EARLY, next=every if left <= EARLY else left)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Asks PostgreSQL for changes now and then; its base class asks at every tick, several times a
    second. What has a question of its own is asked for only where that says yes."""

    Entry = Entry
    _asked_at = -math.inf
    _heap_invalidated: bool

    def schedule_changed(self) -> bool:
        now = time.monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return False
        self._asked_at = now
        return bool(super().schedule_changed())

    def schedules_equal(self, *args: Any, **kwargs: Any) -> bool:
        """It is another one only where it was read anew, which says so; its base class compares
        every entry at every tick."""
        is_another = self._heap_invalidated
        self._heap_invalidated = False
        return not is_another

    def _when(self, entry: Any, next_time_to_run: float, mktime: Any = None) -> float:
        """So many seconds from now, since the epoch."""
        return time.time() + (self.adjust(next_time_to_run) or 0)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        if self._is_wanted(entry.task):
            super().apply_entry(entry, producer=producer)

    def _is_wanted(self, task: str) -> bool:
        question = _question(task)
        if question is None:
            return True
        try:
            return question()
        except DatabaseError as error:
            log.warning("not known whether it is due", task=task, error=type(error).__name__)
            connections.close_all()
            return True


@cache
def _question(task: str) -> Callable[[], bool] | None:
    """What tells whether there is anything to do for a task; None: it is always asked for."""
    name = ASKS_FIRST.get(task)
    return None if name is None else import_string(name)


class Beside(bootsteps.StartStopStep):  # type: ignore[misc]
    """`celery worker --with-beat`: the beat in a thread of this worker, which saves a process. It
    begins again where it fails."""

    def __init__(self, worker: Any, with_beat: bool = False, **_: Any) -> None:
        super().__init__(worker)
        self.enabled = with_beat
        self._stopping = threading.Event()
        self._service: Service | None = None
        self._thread: threading.Thread | None = None

    def start(self, worker: Any) -> None:
        self._thread = threading.Thread(
            target=self._beat_for_ever, args=(worker.app,), name="beat", daemon=True
        )
        self._thread.start()

    def stop(self, worker: Any) -> None:
        self._stopping.set()
        if self._service is not None:
            self._service.stop()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _beat_for_ever(self, app: Any) -> None:
        app.set_current()
        while not self._stopping.is_set():
            self._service = Service(app, scheduler_cls=app.conf.beat_scheduler)
            try:
                self._service.start()
            except Exception:
                log.exception("the beat begins again", seconds=AGAIN_SECONDS)
                self._stopping.wait(AGAIN_SECONDS)
            finally:
                connections.close_all()
