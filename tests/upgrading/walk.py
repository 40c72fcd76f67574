"""The upgrade of docs/operating.md, step by step, under the eyes of its users."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launcher.places import Places
from launcher.servers import Servers
from tests.chaos.system import free_port
from tests.upgrading.callers import Caller, Listener, Reader, Trader, sign_in
from tests.upgrading.release import (
    ROOT,
    WORKERS,
    Release,
    address,
    base_environment,
    unpack,
)
from tests.waiting import comes_true

WEB = (1, 2)
READY_SECONDS = 240
# What is called beside each step, and after the last.
SPELL_SECONDS = 8.0
# An upgrade takes less; the proof of the bars begins with the walk and is stopped by nobody.
PROOF_HOURS = 0.06


@dataclass
class Told:
    """What was seen."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    longest_silence: float = 0.0
    orders: int = 0
    wrong_orders: list[str] = field(default_factory=list)
    bars: str = ""
    are_bars_well: bool = False

    @property
    def is_well(self) -> bool:
        is_used = self.orders > 0 and all(self.calls.values())
        return is_used and self.are_bars_well and not self.faults and not self.wrong_orders

    def text(self) -> str:
        lines = [f"{name:60}{seconds:7.1f} s" for name, seconds in self.steps]
        for name, counts in self.calls.items():
            lines.append(f"{name}: {', '.join(f'{k} {v}' for k, v in sorted(counts.items()))}")
        lines.append(f"longest silence of the socket: {self.longest_silence:.1f} s")
        lines.append(f"{self.orders} orders placed, {len(self.wrong_orders)} not there once")
        lines.append(f"{len(self.faults)} calls failed")
        return "\n".join([*lines, *self.wrong_orders[:10], *self.faults[:20], self.bars])


class Walk:
    """From `commit` to this folder's code, in an installation of its own below `folder`."""

    def __init__(self, folder: Path, commit: str) -> None:
        self.told = Told()
        port, simulator_port = free_port(), free_port()
        self.simulator_url = address(simulator_port)
        self.address = address(port)
        self.listening = socket.create_server(("127.0.0.1", port), backlog=2048)
        self.listening.set_inheritable(True)
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        environment = base_environment(self.data, port, simulator_port)
        self.old = Release("old", unpack(commit, folder / "old"), folder, environment)
        self.new = Release("new", ROOT, folder, environment)
        self.servers = Servers(Places(self.data))
        self.callers: list[Caller] = []
        self.proof: subprocess.Popen[str] | None = None
        self.simulator_port = simulator_port

    def run(self) -> Told:
        self._begin()
        password = (self.data / "secrets" / "demo-password").read_text().strip()
        session = sign_in(self.address, password)
        trader = Trader(session, self.address)
        listener = Listener(session, self.address)
        self.callers = [Reader(sign_in(self.address, password), self.address), listener]
        for caller in self.callers:
            caller.start()
        self._wait("an account that can trade", lambda: self._can_trade(session))
        trader.begin()
        self.callers.append(trader)
        self._start_proof()
        time.sleep(SPELL_SECONDS)
        self._upgrade()
        time.sleep(SPELL_SECONDS)
        for caller in self.callers:
            caller.stop()
            self.told.calls[type(caller).__name__] = dict(caller.counts)
            self.told.faults += [f"{type(caller).__name__} {fault}" for fault in caller.faults]
        self.told.longest_silence = listener.longest
        self._compare_orders(session, trader)
        self._end_proof()
        return self.told

    def stop(self) -> None:
        for caller in self.callers:
            caller.stop()
        if self.proof is not None and self.proof.poll() is None:
            self.proof.kill()
        self.old.end_all()
        self.new.end_all()
        self.servers.stop()
        self.listening.close()

    # --- the steps ------------------------------------------------------------------------------

    def _begin(self) -> None:
        """All of the old release, as `make run` of its time had it."""
        with self._step("PostgreSQL and Valkey"):
            self.servers.start()
        with self._step("the old release begins"):
            self.old.manage("migrate", "--verbosity", "0")
            self.old.manage("collectstatic", "--noinput", "--verbosity", "0")
            self.old.manage("kek", "ensure")
            self.old.manage("ensure_demo")
            words = ["--port", str(self.simulator_port), "--symbols", "BTCUSDT", "--demo"]
            data = ["--data", str(self.data / "simulator")]
            self.new.start("simulator", ["-m", "simulator", *words, *data])
            for name in WORKERS:
                self.old.start_worker(name)
            self.old.start_beat()
            for number in WEB:
                self.old.start_web(number, self.listening)
            self._wait("the old release to be ready", self._is_ready)

    def _upgrade(self) -> None:
        with self._step("migrations and static files of the new one, beside the old"):
            self.new.manage("migrate", "--verbosity", "0")
            self.new.manage("collectstatic", "--noinput", "--verbosity", "0")
            self.new.manage("kek", "status")
        time.sleep(SPELL_SECONDS)  # the old code on the new tables
        for name in WORKERS:
            with self._step(f"{name}: the new one beside the old, then the old one ends"):
                self.new.start_worker(name)
                time.sleep(SPELL_SECONDS)
                self.old.end(name)
        with self._step("beat: the old one ends, then the new one begins"):
            self.old.end("beat")
            self.new.start_beat()
        for number in WEB:
            with self._step(f"web {number}: the old one ends, then the new one begins"):
                self.old.end(f"web-{number}")
                self.new.start_web(number, self.listening)
                time.sleep(SPELL_SECONDS)
                self._wait("the new release to be ready", self._is_ready)

    def _step(self, name: str) -> "Step":
        return Step(self.told, name)

    # --- what is looked at ----------------------------------------------------------------------

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _can_trade(self, session: Any) -> bool:
        """Its account is connected, and the exchange's list of symbols has come."""
        rows = session.get(f"{self.address}/api/accounts", timeout=30).json()
        url = f"{self.address}/api/instruments?search=BTC&market=spot"
        is_listed = bool(session.get(url, timeout=30).json()["rows"])
        return is_listed and any(row["state"] == "live" for row in rows)

    def _wait(self, what: str, claim: Any) -> None:
        if not comes_true(claim, READY_SECONDS):
            raise SystemExit(f"not within {READY_SECONDS} s: {what}")

    def _compare_orders(self, session: Any, trader: Trader) -> None:
        """Each order that was placed is at the exchange, and once."""
        self.told.orders = len(trader.placed)
        with urllib.request.urlopen(f"{self.simulator_url}/simulator/accounts", timeout=30) as got:
            accounts = json.load(got)
        there: list[str] = []
        for row in accounts:
            url = f"{self.simulator_url}/simulator/accounts/{row['uid']}/truth"
            with urllib.request.urlopen(url, timeout=60) as got:
                there += [order["client_id"] for order in json.load(got)["orders"]]
        for intent in trader.placed:
            told = session.get(f"{self.address}/api/orders/intents/{intent}", timeout=30).json()
            count = there.count(told["client_id"])
            if told["state"] != "accepted" or count != 1:
                self.told.wrong_orders.append(
                    f"{intent}: {told['state']}, {count} times at the exchange"
                )

    def _start_proof(self) -> None:
        """The old release's own proof of its bars, which goes on over the upgrade."""
        words = ["soak", "--pace", "1", "--hours", str(PROOF_HOURS)]
        self.proof = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=self.old.root,
            env=self.old.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def _end_proof(self) -> None:
        assert self.proof is not None
        with self._step("every bar of the walk is compared"):
            out, _ = self.proof.communicate(timeout=1200)
        self.told.bars = out.strip()
        self.told.are_bars_well = self.proof.returncode == 0


class Step:
    """Told and timed."""

    def __init__(self, told: Told, name: str) -> None:
        self.told = told
        self.name = name

    def __enter__(self) -> None:
        sys.stdout.write(f"{time.strftime('%X')} {self.name} …\n")
        sys.stdout.flush()
        self.began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.told.steps.append((self.name, time.monotonic() - self.began))
