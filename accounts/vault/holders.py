"""Each process says which key files it sees, so that `kek promote` can wait for all of them."""

import os
import platform
import threading

import structlog
from django.db import close_old_connections, connection

from accounts.vault import keyring

log = structlog.get_logger(__name__)


def start(kind: str) -> threading.Event:
    """Reports in a thread of its own until the event is set, or the process ends."""
    name, stop = f"{kind}@{platform.node()}:{os.getpid()}", threading.Event()
    threading.Thread(target=_report_for_ever, args=(name, stop), daemon=True).start()
    return stop


def _report_for_ever(name: str, stop: threading.Event) -> None:
    while True:
        try:
            close_old_connections()
            keyring.report(name)
        except Exception as error:  # noqa: BLE001  (a holder that is silent is not waited for)
            log.warning("key files not reported", error=type(error).__name__)
        finally:
            connection.close()
        if stop.wait(keyring.HOLDER_SECONDS / 3):
            return
