"""Children are started again when they die and end in order."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from launcher.supervisor import Child, Supervisor
from tests.conftest import eventually

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def says_when_it_ends(path: Path, name: str) -> list[str]:
    code = (
        "import signal, sys, time\n"
        f"def end(*_):\n open({str(path)!r}, 'a').write('{name} ')\n sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    return [sys.executable, "-c", code]


async def test_a_child_that_dies_is_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    child = Child("short", [sys.executable, "-c", "print('hello')"])
    supervisor = Supervisor([child])
    supervisor.start()
    await eventually(lambda: child.restarts >= 2, 10, "two restarts")
    await supervisor.stop()
    assert capsys.readouterr().out.count("short | hello") >= 2


async def test_children_end_group_by_group(tmp_path: Path) -> None:
    order = tmp_path / "order"
    children = [
        Child("last", says_when_it_ends(order, "last"), stop_order=1),
        Child("first", says_when_it_ends(order, "first"), stop_order=0),
    ]
    supervisor = Supervisor(children)
    supervisor.start()
    await eventually(lambda: all(child.process is not None for child in children), 5)
    await asyncio.sleep(0.5)
    await supervisor.stop()
    assert order.read_text().split() == ["first", "last"]
    assert all(child.process is not None and child.process.returncode == 0 for child in children)


async def test_what_can_wait_gives_way(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child("later", [sys.executable, "-c", "import os; print('nice', os.nice(0))"], nice=7)
    own = os.nice(0)
    supervisor = Supervisor([child])
    supervisor.start()
    await eventually(lambda: child.restarts >= 1, 10, "an end")
    await supervisor.stop()
    assert f"later | nice {own + 7}" in capfd.readouterr().out
