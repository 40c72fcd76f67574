"""What /metrics tells: every label set from the start, over all processes."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config import health
from config.celery import begin, end
from config.measures.timing import TASK_SECONDS, tasks
from market.hot import tally
from market.hot.client import hot_client
from tests.away import redis_away
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    health.everything.forget()
    tally.hand_over()
    hot_client().delete(tally.KEY)


def scrape(client: Client) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = client.get("/metrics").content.decode()
    samples: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return samples


def test_every_label_set_is_there_before_anything_has_happened(client: Client) -> None:
    told = scrape(client)
    states = {dict(labels)["state"] for labels in told["tapelog_order_intents"]}
    assert states == {"written", "sent", "unknown", "accepted", "refused", "expired"}
    assert {dict(labels)["state"] for labels in told["tapelog_deliveries"]} == {
        "waiting",
        "sent",
        "dead",
        "unproven",
    }
    queues = {dict(labels)["queue"] for labels in told["tapelog_queue_length"]}
    assert queues == {"celery", *(route["queue"] for route in settings.CELERY_TASK_ROUTES.values())}
    budgets = {
        dict(labels)["budget"]: value
        for labels, value in told["tapelog_governor_weight_limit"].items()
    }
    assert budgets == {"api": 4800.0, "sapi": 9600.0, "fapi": 1920.0, "data": 4800.0}
    routes = {dict(labels)["route"] for labels in told["tapelog_http_requests_total"]}
    assert {"home", "api-trades", "unmatched", "admin"} <= routes
    flushes = told["tapelog_flush_duration_seconds_count"]
    assert set(flushes) == {(("market", "spot"),), (("market", "usdm"),)}
    assert set(told["tapelog_websocket_wait_seconds_count"]) == {(("route", "live"),)}
    openings = {dict(labels)["outcome"] for labels in told["tapelog_websocket_openings_total"]}
    assert openings == {"accepted", "refused"}
    names = {dict(labels)["task"] for labels in told["tapelog_tasks_total"]}
    assert set(tasks()) <= names
    assert set(told["tapelog_source_up"].values()) == {1.0}


def test_names_end_as_the_conventions_want(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    for family in text_string_to_metric_families(text):
        if family.name.startswith("tapelog"):
            assert family.documentation, family.name
            for sample in family.samples:
                assert sample.name.endswith("_total") == (family.type == "counter"), sample.name


def test_a_request_is_timed_by_its_route_and_counted_by_its_class(client: Client) -> None:
    client.get("/trades/")  # sends a stranger to the sign-in
    client.get("/nowhere/at/all/")
    told = scrape(client)
    counts = told["tapelog_http_requests_total"]
    assert counts[("route", "trades"), ("status", "3xx")] == 1
    assert counts[("route", "unmatched"), ("status", "4xx")] == 1
    times = told["tapelog_http_request_duration_seconds_count"]
    assert times[(("route", "trades"),)] == 1


def test_buckets_are_cumulative() -> None:
    for seconds in (0.005, 0.4, 0.5, 99999.0):
        tally.observe(TASK_SECONDS, seconds, "some.task")
    tally.hand_over()
    health.everything.forget()
    told = scrape(Client())["tapelog_task_duration_seconds_bucket"]
    by_bound = {
        dict(labels)["le"]: value
        for labels, value in told.items()
        if dict(labels)["task"] == "some.task"
    }
    assert by_bound == {
        "0.01": 1,
        "0.1": 1,
        "0.5": 3,
        "1.0": 3,
        "5.0": 3,
        "30.0": 3,
        "120.0": 3,
        "600.0": 3,
        "3600.0": 3,
        "+Inf": 4,
    }  # a bound belongs to its bucket


def test_many_threads_lose_nothing() -> None:
    what = tally.Count("tapelog_some", "")

    def count_often() -> None:
        for _ in range(500):
            tally.count(what)

    threads = [threading.Thread(target=count_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    tally.hand_over()
    for thread in threads:
        thread.join()
    tally.hand_over()
    assert tally.totals()["tapelog_some", (), "n"] == 4000


def test_what_was_counted_while_redis_was_away_is_told_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    what = tally.Count("tapelog_some", "")
    tally.count(what)
    away = redis_away()
    monkeypatch.setattr("market.hot.tally.hot_client", lambda: away)
    with pytest.raises(redis.RedisError):
        tally.hand_over()
    monkeypatch.setattr("market.hot.tally.hot_client", hot_client)
    tally.hand_over()
    assert tally.totals()["tapelog_some", (), "n"] == 1


def test_a_source_that_is_away_hides_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = redis_away()
    monkeypatch.setattr("config.measures.stores.hot_client", lambda: away)
    told = scrape(client)
    assert told["tapelog_source_up"][(("source", "valkey"),)] == 0
    assert told["tapelog_source_up"][(("source", "journal"),)] == 1
    assert "tapelog_books_waiting" in told


def test_a_task_is_timed_and_its_failure_counted(client: Client) -> None:
    task: Any = SimpleNamespace(name="market.roll_up", request=SimpleNamespace())
    begin(task=task, task_id="abc")
    end(task=task, state="FAILURE")
    told = scrape(client)
    assert told["tapelog_tasks_total"][("outcome", "failed"), ("task", task.name)] == 1
    assert told["tapelog_task_duration_seconds_count"][(("task", task.name),)] == 1


def test_followed_markets_are_counted(client: Client, make_instrument: MakeInstrument) -> None:
    make_instrument("BTCUSDT")
    told = scrape(client)["tapelog_followed_markets"]
    assert told == {(("market", "spot"),): 1.0, (("market", "usdm"),): 0.0}
