"""What the embedded servers, `make run` and docker have in common stands in one place."""

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from launcher.run import _children
from launcher.servers import postgres_settings

ROOT = Path(__file__).resolve().parents[2]
# They watch over others, every few seconds.
SUPERVISORS = {
    "market.supervise_collectors",
    "market.refresh_listings",
    "journal.supervise",
    "accounts.check_accounts",
}


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]


def test_dockers_postgresql_gets_the_embedded_ones_settings(compose: Any, tmp_path: Path) -> None:
    [shell, flag, script] = compose["postgres"]["command"]
    assert (
        "../launcher/postgres.conf:/etc/tapelog/postgres.conf:ro" in compose["postgres"]["volumes"]
    )
    stand_in = tmp_path / "docker-entrypoint.sh"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stand_in.chmod(0o755)
    script = script.replace("$$", "$")  # as compose reads it
    script = script.replace("/etc/tapelog/postgres.conf", str(ROOT / "launcher/postgres.conf"))
    done = subprocess.run(
        [shell, flag, script],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert done.stdout.split() == ["postgres", *postgres_settings()]
    assert "max_locks_per_transaction=1024" in done.stdout


def test_nobody_writes_in_the_root_of_a_container_of_the_image(compose: Any) -> None:
    ours = {name: said for name, said in compose.items() if "build" in said}
    assert {"prepare", "web", "worker", "collector", "beat", "simulator"} <= ours.keys()
    for said in ours.values():
        assert (said["read_only"], said["tmpfs"]) == (True, ["/tmp"])


def queues_of(words: Sequence[str]) -> set[str]:
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def test_each_queue_has_a_worker_here_and_in_docker(compose: Any) -> None:
    routes = settings.CELERY_TASK_ROUTES
    needed = {"celery", *(route["queue"] for route in routes.values())}
    with socket.socket() as listening:
        config: dict[str, object] = {"binance": "live", "web_processes": 1}
        mine = [queues_of(child.command) for child in _children(config, listening)]
    docker = [queues_of(service.get("command") or []) for service in compose.values()]
    assert set().union(*mine) == set().union(*docker) == needed


def test_no_tape_shares_a_process_with_what_computes_trades(compose: Any) -> None:
    """One interpreter runs one thread at a time: a large book would slow every tape."""
    routes = settings.CELERY_TASK_ROUTES
    collecting = routes["market.collect"]["queue"]
    computing = {
        routes[name]["queue"]
        for name in ("journal.listen", "journal.synchronise", "journal.settle_prices")
    }
    with socket.socket() as listening:
        config: dict[str, object] = {"binance": "live", "web_processes": 1}
        processes = [queues_of(child.command) for child in _children(config, listening)]
    processes += [queues_of(service.get("command") or []) for service in compose.values()]
    assert not any(collecting in queues and queues & computing for queues in processes)


def test_imports_and_retention_are_never_in_the_way_of_supervisors(compose: Any) -> None:
    """Neither in their queue nor in a process that also takes it."""
    routes = settings.CELERY_TASK_ROUTES
    watching = {routes.get(name, {"queue": "celery"})["queue"] for name in SUPERVISORS}
    imports, retention = (
        routes[name]["queue"] for name in ("market.import_vision", "market.retain")
    )
    assert len({imports, retention} | watching) == 2 + len(watching)
    long = {imports, retention}
    with socket.socket() as listening:
        config: dict[str, object] = {"binance": "live", "web_processes": 1}
        processes = [queues_of(child.command) for child in _children(config, listening)]
    processes += [queues_of(service.get("command") or []) for service in compose.values()]
    assert not any(queues & watching and queues & long for queues in processes)


def test_ledgers_and_alerts_share_no_process_with_the_tapes(compose: Any) -> None:
    """One interpreter lock: a long rebuild would hold the flushing of bars back."""
    routes = settings.CELERY_TASK_ROUTES
    computing = {routes[name]["queue"] for name in ("journal.listen", "alerts.evaluate")}
    tapes = routes["market.collect"]["queue"]
    with socket.socket() as listening:
        config: dict[str, object] = {"binance": "live", "web_processes": 1}
        processes = [queues_of(child.command) for child in _children(config, listening)]
    processes += [queues_of(service.get("command") or []) for service in compose.values()]
    assert not any(tapes in queues and queues & computing for queues in processes)


def test_supervisors_are_tasks_that_there_are() -> None:
    text = "".join(
        path.read_text() for path in ROOT.glob("*/tasks.py") if path.parent.name != "tests"
    )
    assert set(re.findall(r'shared_task\(name="([\w.]+)"', text)) >= SUPERVISORS
