"""The beat of the schedule. What the admin changes in it counts within a few seconds."""

import math
import time

from django_celery_beat.schedulers import DatabaseScheduler

ASK_SECONDS = 5.0


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Asks PostgreSQL for changes now and then; its base class asks at every tick, several times a
    second."""

    _asked_at = -math.inf

    def schedule_changed(self) -> bool:
        now = time.monotonic()
        if now - self._asked_at < ASK_SECONDS:
            return False
        self._asked_at = now
        return bool(super().schedule_changed())
