"""Who reads an account's history: one worker at a time, which keeps its lease by a thread of its
own, since computing the books of a long history asks nobody for minutes."""

import os
import socket
import threading
import time
import uuid
from datetime import timedelta
from types import TracebackType

import structlog
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ExchangeAccount
from journal.models import Sync

log = structlog.get_logger(__name__)

HELD_FOR = timedelta(seconds=30)
RENEW_SECONDS = 10.0
# Whoever says nothing for so long hangs: another one may take over.
MOST_SILENT_SECONDS = 3600.0


def new_holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def take(account: ExchangeAccount, holder: str) -> bool:
    """One statement, so that two workers cannot both have it."""
    free = Q(holder="") | Q(until=None) | Q(until__lt=Now())
    taken = Sync.objects.filter(free, account=account).update(holder=holder, until=Now() + HELD_FOR)
    return taken == 1


class Holding:
    """A context manager: while it is open the lease is renewed; `is_lost` says that another worker
    has taken over."""

    def __init__(self, account: ExchangeAccount, holder: str) -> None:
        self._mine = {"account_id": account.pk, "holder": holder}
        self._lost = threading.Event()
        self._over = threading.Event()
        self._heard_at = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name="sync lease", daemon=True)

    def __enter__(self) -> "Holding":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def is_lost(self) -> bool:
        return self._lost.is_set()

    def hear(self) -> None:
        """The work goes on."""
        self._heard_at = time.monotonic()

    def _keep(self) -> None:
        try:
            while not self._over.wait(RENEW_SECONDS):
                if time.monotonic() - self._heard_at > MOST_SILENT_SECONDS:
                    log.error("sync hangs", account=str(self._mine["account_id"]))
                    break
                if not self._renew():
                    self._lost.set()
                    break
        finally:
            connection.close()

    def _renew(self) -> bool:
        """False only when the database answers that another one has it."""
        try:
            renewed = Sync.objects.filter(**self._mine).update(until=Now() + HELD_FOR)
        except DatabaseError as error:
            log.warning("sync lease not renewed", error=type(error).__name__)
            connection.close()
            return True
        return renewed == 1
