"""`make run`: the whole of Tapelog on one machine, from nothing to a green /readyz."""

import argparse
import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from launcher.nursery import Nursery, NurseryError, Running
from launcher.places import Places
from launcher.servers import ServerError, Servers
from launcher.steps import step
from launcher.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parent.parent
# after so long without a green /readyz the reason is told, and again after as long
READY_SECONDS = 90
STEP_SECONDS, EXCHANGE_SECONDS = 600.0, 60.0
# an index of a large table takes its time, and begins anew when it is broken off
MIGRATION_SECONDS = 6 * 3600.0


class CannotRun(Exception):
    """One sentence for the person at the terminal."""


def run(arguments: argparse.Namespace) -> int:
    """Returns the exit code: 0 after Ctrl-C, 1 when something prevents the start."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    servers: Servers | None = None
    lock: IO[str] | None = None
    nursery = Nursery()
    try:
        config = _settings(nursery)
        places = Places(Path(str(config["data_dir"])))
        places.data_dir.mkdir(parents=True, exist_ok=True)
        lock = _lock(places)
        _need_free_port(config["port"], "PORT")
        if config["binance"] == "simulator":
            _need_free_port(config["simulator_port"], "SIMULATOR_PORT")
        nursery.load()
        if _needs_servers():
            servers = Servers(places)
            with step("starting PostgreSQL and Valkey"):
                servers.start()
        words = "bringing the database up to date, collecting static files"
        with step(words):
            static = _begin(nursery, "collectstatic", "--noinput", "--verbosity", "0")
            _begin(nursery, "migrate", "--verbosity", "0").result(MIGRATION_SECONDS)
            _manage(nursery, "kek", "ensure")
            static.result(STEP_SECONDS)
        with step("preparing the demo user"):
            signing_in = _manage(nursery, "ensure_demo").strip().splitlines()[-1]
        return asyncio.run(_serve(config, signing_in, servers, nursery))
    except (CannotRun, ServerError, NurseryError) as error:
        words = str(error).split("ImproperlyConfigured: ")[-1]
        print(f"\nTapelog cannot start: {words}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped before it was up")
        return 0
    finally:
        nursery.stop()
        if servers is not None:
            servers.stop()
        if lock is not None:
            lock.close()


async def _serve(
    config: dict[str, object], signing_in: str, servers: Servers | None, nursery: Nursery
) -> int:
    listening = _listen(str(config["host"]), int(str(config["port"])))
    supervisor = Supervisor(_children(config, listening), nursery)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if config["binance"] == "simulator":
        supervisor.start("simulator")
        await _wait_for_exchange(int(str(config["simulator_port"])), stop)
    supervisor.start()
    host = f"[{config['host']}]" if ":" in str(config["host"]) else config["host"]
    address = f"http://{host}:{config['port']}"
    waiting = asyncio.create_task(_wait_until_ready(address, stop))
    watching = asyncio.create_task(_watch(servers, nursery, stop))
    try:
        if await waiting:
            print(
                f"\n  Tapelog is up at {address}\n  {signing_in}\n  Ctrl-C stops it.\n", flush=True
            )
        await stop.wait()
    finally:
        print("\nstopping …", flush=True)
        watching.cancel()
        await supervisor.stop()
        listening.close()
    return 0


def _children(config: dict[str, object], listening: socket.socket) -> list[Child]:
    python = sys.executable
    # -W: Celery repeats at each start that it runs as root, where it does
    celery = [python, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config"]
    worker = [*celery, "worker", "--pool", "threads", "--without-gossip", "--without-mingle"]
    children = [
        *_web(config, listening),
        # what nobody waits for at a page gives way to pages, orders and the stream: a little where
        # it is soon over, most where it is not
        Child(
            "worker",
            [*worker, "-Q", "celery", "-c", "4", "-n", "worker@%h", "--with-beat"],
            1,
            nice=5,
        ),
        # no more histories are read at once here than leave threads to the rest
        Child(
            "upkeep",
            [*worker, "-Q", "sync,upkeep,imports,retention", "-c", "10", "-n", "upkeep@%h"],
            1,
            nice=19,
        ),
        Child("listener", [*worker, "-Q", "listeners", "-c", "4", "-n", "listener@%h"], 1),
        Child("collector", [*worker, "-Q", "collectors", "-c", "8", "-n", "collector@%h"], 1),
    ]
    if config["binance"] == "simulator":
        children.append(
            Child(
                "simulator",
                [
                    python,
                    "-m",
                    "simulator",
                    "--port",
                    str(config["simulator_port"]),
                    "--data",
                    str(Path(str(config["data_dir"])) / "simulator"),
                    "--symbols",
                    str(config["symbols"]),
                    "--demo",
                ],
                2,
            )
        )
    return children


def _web(config: dict[str, object], listening: socket.socket) -> list[Child]:
    """One listening socket for all web processes: the kernel gives each a part of the callers."""
    command = [sys.executable, "-m", "launcher.web", "--fd", str(listening.fileno())]
    count = int(str(config["web_processes"]))
    return [
        Child("web" if count == 1 else f"web-{n}", command, 0, descriptors=[listening.fileno()])
        for n in range(1, count + 1)
    ]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotRun(f"HOST: expected an address of this machine, was {host!r}") from error
    listening.set_inheritable(True)
    return listening


async def _watch(servers: Servers | None, nursery: Nursery, stop: asyncio.Event) -> None:
    """Start a database again that died, with growing pauses while it cannot; and let the nursery
    rest when all have been made."""
    pause = 1.0
    while not stop.is_set():
        await asyncio.sleep(pause)
        nursery.rest()
        try:
            # in this thread, since the kernel ties a child's life to the thread that made it
            for name in servers.restart_dead() if servers is not None else []:
                print(f"{name} had died and is up again", flush=True)
            pause = 1.0
        except ServerError as error:
            print(error, file=sys.stderr, flush=True)
            pause = min(pause * 2, 30.0)


async def _wait_for_exchange(port: int, stop: asyncio.Event) -> None:
    """Until somebody listens there, so that nobody who asks it is refused; not for ever."""
    end = time.monotonic() + EXCHANGE_SECONDS
    while time.monotonic() < end and not stop.is_set():
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def _wait_until_ready(address: str, stop: asyncio.Event) -> bool:
    """True as soon as /readyz is green, however slow the machine; False when it is stopped before.
    What is missing is told now and then."""
    started = told = time.monotonic()
    while not stop.is_set():
        status, answer = await asyncio.to_thread(_get, f"{address}/readyz")
        if status == 200:
            return True
        now = time.monotonic()
        if now - told >= READY_SECONDS:
            told = now
            print(f"  not ready after {now - started:.0f} s, still waiting: {answer}", flush=True)
        await asyncio.sleep(0.3)
    return False


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def _settings(nursery: Nursery) -> dict[str, object]:
    """The settings as Django reads them; a bad one is a sentence, not a traceback."""
    places = Places(Path(os.environ.get("DATA_DIR") or ROOT / "var").expanduser().resolve())
    if not os.environ.get("SECRET_KEY"):
        places.data_dir.mkdir(parents=True, exist_ok=True)
        places.make_secrets()
    nursery.start()
    settings: dict[str, object] = json.loads(_manage(nursery, "show_settings"))
    return settings


def _manage(nursery: Nursery, *words: str) -> str:
    return _begin(nursery, *words).result(STEP_SECONDS)


def _begin(nursery: Nursery, *words: str) -> Running:
    return nursery.begin([sys.executable, "-m", "django", *words])


def _needs_servers() -> bool:
    return not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))


def _need_free_port(port: object, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(str(port))))
        except OSError as error:
            raise CannotRun(
                f"port {port} is taken: stop what uses it, or choose another with {name}=…"
            ) from error


def _lock(places: Places) -> IO[str]:
    lock = (places.data_dir / "launcher.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CannotRun(
            f"Tapelog is already running with its data in {places.data_dir}: "
            "stop it first, or choose another folder with DATA_DIR=…"
        ) from error
    return lock


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
