"""The database works for a process that gives way (`nice`, set by the launcher) as that process
works: it gives way to pages, orders and the stream too, where both are on this machine. Not without
an end: what it holds while it works others wait for."""

import contextlib
import os
from pathlib import Path
from typing import Any

DATABASE = "postgres"
MOST = 10


def follow(connection: Any, **_: object) -> None:
    """A receiver of `connection_created`."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if own <= 0 or not str(connection.settings_dict["HOST"]).startswith("/"):
        return
    backend: int = connection.connection.info.backend_pid
    # elsewhere the number is another process's, or nobody's
    with contextlib.suppress(OSError):
        if Path(f"/proc/{backend}/comm").read_text().strip() == DATABASE:
            os.setpriority(os.PRIO_PROCESS, backend, min(own, MOST))
