"""`python -m simulator` as a user starts it: a process of its own on uvloop."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.conftest import listening
from tests.waiting import until


@contextlib.contextmanager
def started(port: int, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "simulator", "--port", str(port), *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        until(lambda: answers(port), what="the simulator")
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return json.load(answer)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        ask(port, "/api/v3/ping")
        return True
    return False


async def trades(port: int, count: int) -> list[int]:
    """The ids of so many."""
    async with asyncio.timeout(60), listening(f"ws://127.0.0.1:{port}/ws/btcusdt@trade") as socket:
        return [int(json.loads(await socket.recv())["t"]) for _ in range(count)]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_it_speaks_and_stops_when_it_is_told(
    unused_tcp_port: int, end: signal.Signals
) -> None:
    with started(unused_tcp_port, "--futures", "BTCUSDT") as process:
        [first] = await trades(unused_tcp_port, 1)
        assert first > 1_000_000
        assert ask(unused_tcp_port, "/fapi/v1/exchangeInfo")["symbols"][0]["symbol"] == "BTCUSDT"
        process.send_signal(end)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


async def test_ids_go_on_after_a_kill(unused_tcp_port: int, tmp_path: Path) -> None:
    words = ("--data", str(tmp_path), "--symbols", "BTCUSDT", "--pace", "10")
    with started(unused_tcp_port, *words) as process:
        first, *_, last = await trades(unused_tcp_port, 50)
        process.kill()
    with started(unused_tcp_port, *words):
        [again] = await trades(unused_tcp_port, 1)
        assert again > last
        rows = ask(unused_tcp_port, f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={first}")
        assert rows[0]["id"] == first


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tape", "x"], "expected [spot:|usdm:]SYMBOL=FILE"),
        (["--faults", "/no/such/file"], "expected a TOML file of faults"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_exit_code_2(words: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("simulator: ")
    assert said in ended.stderr


def test_help_explains_itself() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    for word in ("--tape", "--loop", "--faults", "/simulator/truth", "docs/simulator.md"):
        assert word in ended.stdout
