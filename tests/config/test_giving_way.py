"""What the database does for a worker that gives way gives way with it."""

import os
import subprocess
import sys

import pytest

from config.giving_way import MOST

CODE = """
import os, sys
import django
django.setup()
from django.db import connection
os.nice(int(sys.argv[1]))
connection.ensure_connection()
print(os.getpriority(os.PRIO_PROCESS, connection.connection.info.backend_pid))
"""


@pytest.mark.parametrize(("nice", "follows"), [(0, 0), (5, 5), (19, MOST)])
def test_the_databases_process_follows_its_worker_so_far(nice: int, follows: int) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    ran = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", CODE, str(nice)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == own + follows
