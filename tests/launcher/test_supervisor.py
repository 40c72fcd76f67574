"""Children are started again when they die and end in order."""

import os
import sys
from pathlib import Path

import pytest

from launcher.supervisor import Child, Supervisor
from tests.conftest import eventually


def says_when_it_ends(path: Path, name: str) -> list[str]:
    code = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "print('up', flush=True)\n"
        "signal.sigwait([signal.SIGTERM])\n"
        f"open({str(path)!r}, 'a').write('{name} ')\n"
    )
    return [sys.executable, "-c", code]


async def test_a_child_that_dies_is_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    child = Child("short", [sys.executable, "-c", "print('hello')"])
    supervisor = Supervisor([child])
    supervisor.start()
    await eventually(lambda: child.restarts >= 2, 10, "two restarts")
    await supervisor.stop()
    assert capsys.readouterr().out.count("short | hello") >= 2


async def test_children_end_group_by_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = tmp_path / "order"
    children = [
        Child("last", says_when_it_ends(order, "last"), stop_order=1),
        Child("first", says_when_it_ends(order, "first"), stop_order=0),
    ]
    supervisor = Supervisor(children)
    up: set[str] = set()
    monkeypatch.setattr(supervisor, "say", lambda name, text, index: up.add(name))
    supervisor.start()
    await eventually(lambda: up == {"first", "last"}, what="both to wait for their end")
    await supervisor.stop()
    assert order.read_text().split() == ["first", "last"]
    assert all(child.process is not None and child.process.returncode == 0 for child in children)


async def test_whom_the_others_need_begins_first(capsys: pytest.CaptureFixture[str]) -> None:
    children = [Child(name, [sys.executable, "-c", "print('hello')"]) for name in ("one", "two")]
    supervisor = Supervisor(children)
    supervisor.start("two")
    await eventually(lambda: children[1].restarts >= 1, 10, "the one that is needed")
    assert children[0].process is None
    supervisor.start()
    await eventually(lambda: children[0].restarts >= 1, 10, "the other")
    await supervisor.stop()
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "hello" in line][0] == "two | hello"


async def test_what_cannot_be_started_is_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    child = Child("none", ["/no/such/program"])
    supervisor = Supervisor([child])
    supervisor.start()
    await eventually(lambda: child.restarts >= 2, 10, "two tries")
    await supervisor.stop()
    assert "none | cannot be started: " in capsys.readouterr().out


async def test_what_can_wait_gives_way(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child("later", [sys.executable, "-c", "import os; print('nice', os.nice(0))"], nice=7)
    own = os.nice(0)
    supervisor = Supervisor([child])
    supervisor.start()
    await eventually(lambda: child.restarts >= 1, 10, "an end")
    await supervisor.stop()
    assert f"later | nice {own + 7}" in capfd.readouterr().out
