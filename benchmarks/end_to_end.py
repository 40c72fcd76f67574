"""From the exchange to a browser: how old a state is when a client has it.

  make bench-e2e

A market that trades about as often as a burst second of BTCUSDT (1000 trades a second), the real
collector, one real web process, and clients that hear the 1 m and 1 s topics. What counts is the
moment of receipt minus the newest trade's own time `T` in what was received. The reference in the
same run is a client that reads the exchange's trade stream itself.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from websockets.asyncio.client import connect

from launcher.places import Places
from tests.chaos.system import ROOT, System, free_port

CLIENTS = 50
SECONDS = 20.0
PACE = 45.0
SYMBOL = "BTCUSDT"


async def direct(url: str, ages: list[float], stop: asyncio.Event) -> None:
    """The reference: the exchange's own frames."""
    async with connect(f"{url}/ws/{SYMBOL.lower()}@trade?timeUnit=MICROSECOND") as socket:
        while not stop.is_set():
            frame = json.loads(await socket.recv())
            ages.append(time.time() * 1000 - frame["T"] / 1000)


async def viewer(url: str, token: str, ages: list[float], stop: asyncio.Event) -> None:
    headers = {"Authorization": f"Token {token}"}
    async with connect(f"{url}/ws/live/", additional_headers=headers) as socket:
        topics = [f"flow:spot:{SYMBOL}:1m", f"flow:spot:{SYMBOL}:1s"]
        await socket.send(json.dumps({"subscribe": topics}))
        newest = 0
        while not stop.is_set():
            message = json.loads(await socket.recv())
            if "seq" not in message:
                continue
            if message["seq"] % 10 == 0:
                await socket.send(json.dumps({"ack": message["seq"]}))
            if message["time"] > newest:  # states that bring something new
                newest = message["time"]
                ages.append(time.time() * 1000 - newest)


async def measure(exchange: str, web: str, token: str) -> tuple[list[float], list[float]]:
    stop = asyncio.Event()
    theirs: list[float] = []
    ours: list[float] = []
    tasks = [asyncio.create_task(direct(exchange, theirs, stop))]
    tasks += [asyncio.create_task(viewer(web, token, ours, stop)) for _ in range(CLIENTS)]
    await asyncio.sleep(3)
    theirs.clear()
    ours.clear()
    await asyncio.sleep(SECONDS)
    stop.set()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return theirs, ours


def figures(name: str, ages: list[float]) -> str:
    cuts = statistics.quantiles(ages, n=100)
    return f"{name:34}{len(ages):9}{cuts[49]:9.1f}{cuts[94]:9.1f}{cuts[98]:9.1f}"


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="tapelog-e2e-"))
    Places(folder).make_secrets()
    system = System(folder, [SYMBOL], PACE, seed=1)
    system.start()
    port = free_port()
    environment = {
        **system.environment,
        "LIVE_SOCKETS_PER_USER": "100",
        "LIVE_SOCKETS_PER_IP": "100",
    }
    web = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "config.asgi:application",
            "--port",
            str(port),
            "--ws",
            "websockets-sansio",
            "--loop",
            "uvloop",
            "--no-access-log",
            "--log-level",
            "error",
        ],
        cwd=ROOT,
        env=environment,
    )
    try:
        manage = [sys.executable, "manage.py"]
        for words in (["ensure_demo"], ["issue_api_token", "demo"]):
            told = subprocess.run(
                [*manage, *words],
                cwd=ROOT,
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
        token = told.stdout.strip().splitlines()[-1]
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(5)
        theirs, ours = asyncio.run(
            measure(f"ws://127.0.0.1:{system.port}", f"ws://127.0.0.1:{port}", token)
        )
    finally:
        web.terminate()
        web.wait(10)
        system.stop()
    print(f"{'age at receipt, ms':34}{'states':>9}{'p50':>9}{'p95':>9}{'p99':>9}")
    print(figures("(a) the exchange's own stream", theirs))
    print(figures(f"(b) {CLIENTS} clients of Tapelog", ours))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"{len(theirs) / SECONDS:.0f} trades a second; b / a at the median {ratio:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
