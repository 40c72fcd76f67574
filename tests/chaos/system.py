"""What the campaign breaks: a simulator, two collectors, PostgreSQL and Valkey, each a process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from launcher.children import own_session
from launcher.places import Places
from launcher.servers import Servers
from tests.waiting import comes_true

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 30.0


class System:
    """Everything runs below `folder`; `symbols` trade about `pace` times as often as usual."""

    def __init__(self, folder: Path, symbols: list[str], pace: float, seed: int) -> None:
        self.folder = folder
        self.symbols = symbols
        self.port = free_port()
        self.places = Places(folder)
        self.servers = Servers(self.places)
        self.collectors: list[subprocess.Popen[bytes]] = []
        self.simulator: subprocess.Popen[bytes] | None = None
        self._words = [
            "-m",
            "simulator",
            "--port",
            str(self.port),
            "--symbols",
            ",".join(symbols),
            "--pace",
            str(pace),
            "--seed",
            str(seed),
            "--data",
            str(folder / "simulator"),
            "--attempts",
            "1000000",
        ]

    @property
    def environment(self) -> dict[str, str]:
        http, ws = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}"
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        return {
            **kept,
            "DATA_DIR": str(self.folder),
            "BINANCE": "simulator",
            "BINANCE_SPOT_API_URL": http,
            "BINANCE_SPOT_STREAM_URL": ws,
            "MARKET_SYMBOLS": ",".join(self.symbols),
            "DATABASE_POOL": "false",
            "LOG_LEVEL": "warning",
            "PYTHONPATH": str(ROOT),
        }

    def start(self) -> None:
        self.servers.start()
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)
        self.simulator = self._spawn(self._words, "simulator.log")
        self._wait_for_simulator()
        self.collectors = [self.start_collector(), self.start_collector()]

    def stop(self) -> None:
        for process in [*self.collectors, self.simulator]:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in [*self.collectors, self.simulator]:
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(15)
                process.kill()
                process.wait()
        self.servers.stop()

    def start_collector(self, *words: str) -> subprocess.Popen[bytes]:
        return self._spawn(["manage.py", "collect", *words], "collectors.log")

    # --- the exchange's control -----------------------------------------------------------------

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self._url(path), timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)

    def inject(self, kind: str, **arguments: Any) -> None:
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(self._url(f"/simulator/faults/{kind}"), body)
        urllib.request.urlopen(request, timeout=ANSWER_SECONDS).close()

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _wait_for_simulator(self) -> None:
        if not comes_true(self._answers, 20):
            raise SystemExit("the simulator did not start")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            self.ask("/api/v3/ping")
            return True
        return False

    def _spawn(self, words: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                preexec_fn=own_session(signal.SIGKILL),  # it dies with us
            )


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
