"""What only a few tasks need is loaded by the process that runs them, and by no other."""

import subprocess
import sys

import pytest

HEAVY = {"pandas", "polars", "openpyxl", "xlsxwriter", "apprise"}
TOLD = "import sys; print(*(name for name in sys.argv[1:] if name in sys.modules))"


@pytest.mark.parametrize("rooms", ["config.asgi, config.urls", "config.celery, journal.tasks"])
def test_a_process_begins_without_what_is_large_and_seldom_needed(rooms: str) -> None:
    code = f"import django; django.setup(); import {rooms}; {TOLD}"
    ran = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", code, *sorted(HEAVY)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []
