"""Processes by fork: the launcher's own children, under the names of their commands."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.nursery import Forked, Nursery, NurseryError
from tests.conftest import eventually

DJANGO = [sys.executable, "-W", "ignore", "-m", "django"]
# A module that prints its words, its name and its niceness, and then sleeps.
MODULE = """
import os, sys, time
print(sys.argv[1:], os.nice(0), os.getsid(0) == os.getpid(), "django" in sys.modules)
print("an error", file=sys.stderr)
sys.stdout.flush()
if sys.argv[1] == "listens":
    os.write(int(sys.argv[2]), b"hello")
if sys.argv[1] == "fails":
    sys.exit(3)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("modules")
    (made / "newborn.py").write_text(MODULE)
    return made


@pytest.fixture(scope="module", params=["forks", "executes"])
def nursery(folder: Path, request: pytest.FixtureRequest) -> Iterator[Nursery]:
    """And one on a kernel where it cannot fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        made = Nursery(forks=request.param == "forks")
        made.start()
        yield made
        made.stop()


async def make(nursery: Nursery, *words: str, nice: int = 0, given: int | None = None) -> Forked:
    command = [sys.executable, "-W", "ignore", "-m", "newborn", *words]
    return await nursery.make(command, [] if given is None else [given], nice)


def status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


async def test_it_is_a_child_under_its_own_name(nursery: Nursery) -> None:
    forked = await make(nursery, "sleeps", "a word", nice=3)
    lines = [(await forked.stdout.readline()).decode().strip() for _ in range(2)]
    is_forked = nursery.pid is not None
    assert lines == [f"['sleeps', 'a word'] {os.nice(0) + 3} True {is_forked}", "an error"]
    assert status(forked.pid, "PPid") == os.getpid()
    words = Path(f"/proc/{forked.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert words[1:] == [b"-W", b"ignore", b"-m", b"newborn", b"sleeps", b"a word"]
    assert status(forked.pid, "Threads") == 1
    forked.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(forked.wait(), 10) == -signal.SIGTERM
    forked.kill()  # of what has ended nothing comes


async def test_how_it_ended_is_told(nursery: Nursery) -> None:
    forked = await make(nursery, "fails")
    assert await asyncio.wait_for(forked.wait(), 10) == 3


async def test_it_has_what_was_given_under_the_same_number(nursery: Nursery) -> None:
    reading, writing = os.pipe()
    forked = await make(nursery, "listens", str(writing), given=writing)
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 100) == b"hello"
    forked.kill()
    await forked.wait()
    os.close(reading)


async def test_what_came_from_it_outlives_it_and_another_takes_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    nursery = Nursery(forks=True)
    nursery.start()
    first = await make(nursery, "sleeps")
    before = nursery.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    second = await make(nursery, "sleeps")
    assert nursery.pid not in {None, before}
    assert first.returncode is None
    assert status(first.pid, "PPid") == status(second.pid, "PPid") == os.getpid()
    for forked in (first, second):
        forked.kill()
        await forked.wait()
    nursery.stop()


async def test_one_that_nobody_needed_for_long_rests_until_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    nursery = Nursery(forks=True)
    nursery.start()
    first = await make(nursery, "sleeps")
    is_there = []
    for kept in (30.0, 0.0):
        monkeypatch.setattr("launcher.nursery.KEPT_SECONDS", kept)
        nursery.rest()
        is_there.append(nursery.pid is not None)
    assert is_there == [True, False]
    assert first.returncode is None
    second = await make(nursery, "sleeps")
    assert nursery.pid is not None
    for forked in (first, second):
        forked.kill()
        await forked.wait()
    nursery.stop()


def test_a_command_tells_what_it_printed_or_why_it_failed(nursery: Nursery) -> None:
    assert nursery.begin([*DJANGO, "--version"]).result(30).strip().count(".") >= 1
    with pytest.raises(NurseryError, match="Type 'python -m django help' for usage"):
        nursery.begin([*DJANGO, "no_such_command"]).result(30)


def test_a_command_that_takes_too_long_is_ended(nursery: Nursery) -> None:
    running = nursery.begin([sys.executable, "-m", "newborn", "sleeps"])
    with pytest.raises(NurseryError, match="an error|ended with code -9"):
        running.result(0.5)
    assert not Path(f"/proc/{running.pid}").exists()


def test_a_bad_setting_is_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE", "moon")
    broken = Nursery()
    broken.start()
    with pytest.raises(NurseryError, match="expected one of simulator, testnet, live"):
        broken.begin([*DJANGO, "--version"])
    broken.stop()


async def test_all_of_them_end_with_the_launcher(folder: Path, tmp_path: Path) -> None:
    """Killed, so that it cannot say goodbye."""
    code = (
        "import asyncio, sys, time\n"
        "from launcher.nursery import Nursery\n"
        "async def main():\n"
        "    nursery = Nursery()\n"
        "    nursery.start()\n"
        "    forked = await nursery.make([sys.executable, '-m', 'newborn', 'sleeps'], [], 0)\n"
        f"    open({str(tmp_path / 'pids')!r}, 'w').write(f'{{forked.pid}} {{nursery.pid}} .')\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    launcher = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=environment)
    pids = tmp_path / "pids"
    await eventually(lambda: pids.exists() and "." in pids.read_text(), 30, "a child")
    launcher.kill()
    await launcher.wait()
    left = [Path("/proc") / pid for pid in pids.read_text().split()[:2]]
    end = time.monotonic() + 10
    while any(map(is_alive, left)):
        assert time.monotonic() < end, "still there"
        await asyncio.sleep(0.05)


def is_alive(process: Path) -> bool:
    """One that has ended and waits to be asked for its end is not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
