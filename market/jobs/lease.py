"""Who collects a share. The lease only saves work: it is never what keeps the bars right."""

import os
import socket
import uuid
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from market.models import CollectorLease

RENEW_SECONDS = 3.0
TAKEN_OVER_AFTER = timedelta(seconds=10)

ACQUIRE = """
INSERT INTO market_collectorlease (share, holder, until, state)
VALUES (%s, %s, now() + make_interval(secs => %s), 'starting')
ON CONFLICT (share) DO UPDATE
SET (holder, until, state) = (excluded.holder, excluded.until, excluded.state)
WHERE market_collectorlease.until < now() OR market_collectorlease.holder = ''
"""


def new_holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def acquire(share: str, holder: str) -> bool:
    """Take a share that nobody holds; one statement, so two cannot both win."""
    with connection.cursor() as cursor:
        cursor.execute(ACQUIRE, [share, holder, TAKEN_OVER_AFTER.total_seconds()])
        return bool(cursor.rowcount == 1)


def renew(share: str, holder: str, state: str) -> bool:
    """False only when the database answers that another one holds the share."""
    renewed = CollectorLease.objects.filter(share=share, holder=holder).update(
        until=Now() + TAKEN_OVER_AFTER, state=state
    )
    return renewed == 1


def release(share: str, holder: str) -> None:
    CollectorLease.objects.filter(share=share, holder=holder).update(
        holder="", until=Now(), state="released"
    )


def is_held(share: str) -> bool:
    return CollectorLease.objects.filter(share=share, until__gte=Now()).exclude(holder="").exists()
