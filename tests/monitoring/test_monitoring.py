"""What docker/monitoring names is really there: each metric of each query, each rule, and, where
Prometheus is on this machine, each query asked of one that scraped the real app."""

import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.live_server_helper import LiveServer

from config import health
from tests.conftest import MakeInstrument
from tests.waiting import comes_true

MONITORING = Path(__file__).resolve().parents[2] / "docker" / "monitoring"
DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
METRIC = re.compile(r"\btapelog[a-z0-9_:]*")
# Told only while there is something: a tape, a share, a clock that was compared.
SOMETIMES = {"tapelog_clock_offset_seconds"}
MISSING = "{} is not on this machine (Debian: apt-get install prometheus): NOT CHECKED"


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(MISSING.format(name))
    return path


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in sorted(MONITORING.glob("rules_*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def queries() -> list[str]:
    return [
        target["expr"]
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


def test_there_are_three_dashboards_with_at_least_thirty_queries() -> None:
    assert len(DASHBOARDS) == 3
    assert len(queries()) >= 30


@pytest.mark.django_db
def test_rules_and_dashboards_name_only_what_the_app_tells(
    client: Any, make_instrument: MakeInstrument
) -> None:
    make_instrument("BTCUSDT")
    health.everything.forget()
    text = client.get("/metrics").content.decode()
    told = set(SOMETIMES) | {rule["record"] for rule in rules() if "record" in rule}
    for family in text_string_to_metric_families(text):
        told |= {family.name, *(sample.name for sample in family.samples)}
    named = {
        name
        for text in [*queries(), *(rule["expr"] for rule in rules())]
        for name in METRIC.findall(re.sub(r'"[^"]*"', "", text))
    }
    assert named - told == set()


def test_every_alert_has_its_entry_in_the_troubleshooting_guide() -> None:
    guide = (MONITORING.parents[1] / "docs" / "troubleshooting.md").read_text()
    missing = [rule["alert"] for rule in rules() if "alert" in rule and rule["alert"] not in guide]
    assert missing == []


def test_every_alert_says_how_bad_it_is_and_what_it_is() -> None:
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"]["summary"]


def test_promtool_accepts_the_rules_and_their_tests_pass() -> None:
    promtool = program("promtool")
    for arguments in (
        ["check", "rules", *map(str, sorted(MONITORING.glob("rules_*.yml")))],
        ["check", "config", "--syntax-only", str(MONITORING / "prometheus.yml")],
        ["test", "rules", *map(str, sorted((MONITORING / "tests").glob("rules_*_test.yml")))],
    ):
        done = subprocess.run(
            [promtool, *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_real_prometheus_answers_every_query(
    live_server: LiveServer, make_instrument: MakeInstrument, tmp_path: Path
) -> None:
    prometheus = program("prometheus")
    make_instrument("BTCUSDT")
    health.everything.forget()
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["scrape_configs"][0]["static_configs"] = [
        {"targets": [live_server.url.removeprefix("http://")]}
    ]
    config["global"] = {
        "scrape_interval": "5s",
        "scrape_timeout": "5s",
        "evaluation_interval": "5s",
    }
    config["scrape_configs"][0]["scrape_timeout"] = "5s"
    del config["alerting"], config["scrape_configs"][0]["authorization"]  # loopback needs no token
    config["rule_files"] = [str(path) for path in sorted(MONITORING.glob("rules_*.yml"))]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [
        prometheus,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
    ]
    log = tmp_path / "log"
    with (
        log.open("w") as written,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=written) as process,
    ):
        try:

            def is_up() -> bool:
                assert process.poll() is None, log.read_text()[-2000:]
                return bool(ask(address, 'up{job="tapelog"} == 1'))

            assert comes_true(is_up, 90), log.read_text()[-2000:]
            assert ask(address, "tapelog_build_info")
            for query in [*queries(), *(rule["expr"] for rule in rules())]:
                assert ask(address, query) is not None, query
            plain = [query for query in queries() if re.fullmatch(r"tapelog_[a-z_]+", query)]
            empty = {query for query in plain if not ask(address, query)}
            # a tape without a collector has no cursor
            assert {name for name in empty if "_tape_" not in name} <= SOMETIMES
        finally:
            process.terminate()
            process.wait(20)


def ask(address: str, query: str) -> list[Any] | None:
    """The samples; None where the query is refused; [] while Prometheus is not up."""
    url = f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        return None if error.code == 400 else []
    except (urllib.error.URLError, OSError):
        return []
    return list(found["data"]["result"]) if found["status"] == "success" else None
