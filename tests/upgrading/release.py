"""The processes of one release: an older commit's code, or this folder's."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from launcher.children import own_session

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 60
CELERY = ["-W", "ignore", "-m", "celery", "--quiet", "-A", "config"]
# name -> its queues, as the launcher has them
WORKERS = {
    "collector": "collectors",
    "listener": "listeners",
    "sync": "sync",
    "upkeep": "upkeep,imports,retention",
    "worker": "celery",
}


def unpack(commit: str, folder: Path) -> Path:
    """An older commit's files, with this folder's packages of npm."""
    folder.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


class Release:
    """`root` holds the code, `logs` a folder for what its processes say."""

    def __init__(self, name: str, root: Path, logs: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.root = root
        self.logs = logs
        self.environment = {**environment, "PYTHONPATH": str(root)}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *words: str) -> str:
        """What a command says. Raises CalledProcessError with its words."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: manage.py {' '.join(words)}: {done.stderr[-2000:]}")
        return done.stdout

    def start_worker(self, name: str) -> None:
        words = ["worker", "--pool", "threads", "--without-gossip", "--without-mingle"]
        queues = ["-Q", WORKERS[name], "-c", "6", "-n", f"{name}-{self.name}@%h"]
        self.start(name, [*CELERY, *words, *queues])

    def start_beat(self) -> None:
        self.start("beat", [*CELERY, "beat", "--pidfile="])

    def start_web(self, number: int, listening: socket.socket) -> None:
        given = listening.fileno()
        self.start(f"web-{number}", ["-m", "launcher.web", "--fd", str(given)], given)

    def start(self, name: str, words: list[str], *descriptors: int) -> None:
        with (self.logs / f"{name}-{self.name}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.root,
                env=self.environment,
                stdout=output,
                stderr=output,
                pass_fds=descriptors,
                preexec_fn=own_session(signal.SIGKILL),  # it dies with us
            )

    def end(self, name: str) -> None:
        """As an operator ends it, by SIGTERM. Killed where it does not go."""
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise SystemExit(f"{name} of {self.name} did not end by SIGTERM") from None

    def end_all(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self.running.clear()


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def base_environment(folder: Path, port: int, simulator_port: int) -> dict[str, str]:
    """One installation for both releases."""
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    return {
        **kept,
        "DATA_DIR": str(folder),
        "BINANCE": "simulator",
        "PORT": str(port),
        "SIMULATOR_PORT": str(simulator_port),
        "MARKET_SYMBOLS": "BTCUSDT",
    }
