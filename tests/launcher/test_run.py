"""`python -m launcher run` from the outside: a whole system comes up, answers, and goes away."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKER = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
PORT = 18_400 + 10 * WORKER
HOUR_MS = 3_600_000


def environment(data: Path) -> dict[str, str]:
    keep = {k: v for k, v in os.environ.items() if k not in {"REDIS_URL", "DATABASE_URL"}}
    return {**keep, "DATA_DIR": str(data), "PORT": str(PORT), "MARKET_SYMBOLS": "BTCUSDT"}


def start(data: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT,
            env=environment(data),
            stdout=output,
            stderr=output,
        )


@pytest.fixture
def system(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = tmp_path / "log"
    process = start(tmp_path / "data", log)
    yield process, log
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def wait_for(log: Path, words: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        text = log.read_text(errors="replace")
        if words in text:
            return text
        if "Tapelog cannot start" in text:
            break
        time.sleep(0.2)
    pytest.fail(f"{words!r} not within {seconds} s: {log.read_text()[-3000:]}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_system_comes_up_recovers_and_stops(
    system: tuple[subprocess.Popen[bytes], Path], tmp_path: Path
) -> None:
    process, log = system
    text = wait_for(log, "Tapelog is up at", 400)
    assert "Sign in as demo with the password" in text
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5) as answer:
        assert answer.status == 200

    for word in ("collectors", "collectors"):  # killed while it collects, and once more
        time.sleep(4)
        os.kill(children(process.pid, word)[0], signal.SIGKILL)
        wait_for_ready(120)
    check_all_minutes(issue_token(tmp_path / "data"))

    simulator = children(process.pid, "simulator")
    os.kill(simulator[0], signal.SIGKILL)
    wait_for(log, "simulator | ended with code -9", 60)

    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0
    assert not children(process.pid, "celery")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", PORT))


def wait_for_ready(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    time.sleep(1)
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"not ready again within {seconds} s")


def issue_token(data: Path) -> str:
    """From another shell, as a user would: manage.py finds the embedded servers by DATA_DIR."""
    said = subprocess.run(
        [sys.executable, "manage.py", "issue_api_token", "demo"],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return said.stdout.splitlines()[-1]


def get(port: int, path: str, token: str = "") -> Any:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Token {token}"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def check_all_minutes(token: str) -> None:
    """Every whole minute of the API equals the simulator's truth, in both units. A slow machine
    may begin to collect after a thousand trades; the first minute is not whole then and says so."""
    start = min(map(int, get(PORT + 1, "/simulator/truth?symbol=BTCUSDT")))
    path = f"/api/cvd/range?symbol=BTCUSDT&interval=1m&start={start}&end={start + HOUR_MS}"
    minutes = wait_for_whole_minutes(path, token)
    truth = get(PORT + 1, "/simulator/truth?symbol=BTCUSDT")  # of minutes that are over by now
    for unit in ("trade", "order"):
        rows = {row["t"]: row for row in get(PORT, f"{path}&unit={unit}", token)["bars"]}
        for opened in minutes:
            bar, sums = rows[opened], truth[str(opened)]
            for name in ("trades", "first_id", "last_id", "buy", "sell", "base_buy", "base_sell"):
                assert bar[name] == sums[name], name
            for band, expected in sums[unit].items():
                assert {key: bar["bands"][band][key] for key in expected} == expected


def wait_for_whole_minutes(path: str, token: str) -> set[int]:
    """The starts (ms) of the closed minutes without a hole, as soon as there is one."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        bars = get(PORT, path, token)["bars"]
        if whole := {bar["t"] for bar in bars if bar["closed"] and bar["complete"]}:
            return whole
        time.sleep(1)
    pytest.fail(f"no whole minute: {bars}")


def children(parent: int, word: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if ppid == parent and word in command:
            found.append(int(folder.name))
    return found


def test_a_busy_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", PORT + 5))
        taken.listen()
        refused = subprocess.run(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT,
            env={**environment(tmp_path), "PORT": str(PORT + 5)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert refused.returncode == 1
    assert f"port {PORT + 5} is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "launcher", "run"],
        cwd=ROOT,
        env={**environment(tmp_path), "BINANCE": "moon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert "expected one of simulator, testnet, live" in refused.stderr
    assert "Traceback" not in refused.stderr
