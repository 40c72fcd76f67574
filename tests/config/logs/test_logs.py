"""Log lines: ECS names, ids over process borders, and nothing that is nobody's business."""

import json
import logging
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.test import Client

from config.celery import REQUEST_ID, begin, end, send_request_id
from config.logs import steps
from config.logs.private import HIDDEN, clean_text

API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
TOKEN = "tl0pQ_3xkV9fJ2mN7sB4cD1eF6gH8iJ0kL5mN9oP2qR"
CANARIES = (API_KEY, TOKEN, "alice@example.org", "hunter2-hunter2", "1234.5678", "0.04213")


@pytest.fixture
def lines() -> Any:
    """What a logger of the standard library writes through our steps, as JSON."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=steps.first("json"), processors=steps.last("json")
        )
    )
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    log: Any = structlog.wrap_logger(
        logger,
        processors=[*steps.first("json"), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    yield SimpleNamespace(
        log=log,
        foreign=logger,
        text=written.getvalue,
        read=lambda: [json.loads(line) for line in written.getvalue().splitlines()],
    )
    logger.removeHandler(handler)
    structlog.contextvars.clear_contextvars()


def test_a_line_has_the_names_of_ecs(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(request_id="abc", task_id="t-1")
    lines.log.warning("slow request", route="home", user=7, status=200)
    [line] = lines.read()
    assert line["message"] == "slow request"
    assert line["log.level"] == "warning"
    assert line["log.logger"] == "tests.logs"
    assert line["http.request.id"] == "abc"
    assert line["http.response.status_code"] == 200
    assert line["user.id"] == "7"
    assert line["labels"] == {"route": "home", "task_id": "t-1"}
    assert line["ecs.version"].startswith("8.")
    assert line["@timestamp"].endswith("Z")


def test_secrets_mail_and_amounts_are_in_no_line(lines: Any) -> None:
    lines.log.info(
        "everything",
        api_key=API_KEY,
        password="hunter2-hunter2",
        email="alice@example.org",
        amount=Decimal("1234.5678"),
        fee_usd=0.04213,
        rows=[{"price": "1234.5678", "token": TOKEN, "text": f"key {API_KEY}"}],
    )
    lines.log.error(
        "refused", error=f"GET /api?signature={TOKEN}: alice@example.org holds 0.04213 BTC"
    )
    lines.foreign.warning("sent %s to %s", f"Authorization: Token {TOKEN}", "alice@example.org")
    lines.foreign.warning("postgresql://tapelog:hunter2-hunter2@db/tapelog has 1234.5678 USDT")
    try:
        raise ValueError(f"the key {API_KEY} of alice@example.org, password=hunter2-hunter2")
    except ValueError:
        lines.log.exception("broke")
        lines.foreign.exception("broke")
    text = lines.text()
    for canary in CANARIES:
        assert canary not in text, canary
    assert text.count(HIDDEN) >= 12
    assert len(lines.read()) == 6
    assert "ValueError" in text


def test_the_console_keeps_them_out_too() -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=steps.first("console"), processors=steps.last("console")
    )
    record = logging.LogRecord("x", 30, "f", 1, "for %s: %s", ("alice@example.org", API_KEY), None)
    written = formatter.format(record)
    assert "alice" not in written
    assert API_KEY not in written


@pytest.mark.parametrize(
    "text",
    [
        "no weight left for 12 s (past)",
        "intent 0b7c1a54-0f1e-4c3f-9f53-1a2b3c4d5e6f resolved",
        "tlo5kq3zvxw2hyvd4b7nmc6raqf1u holds its place",
        "binance:spot:BTCUSDT",
        "2026-01-31T10:00:00Z to 2026-02-01T00:00:00Z",
        "expected 32 bytes, was 31",
        "9f86d081884c7d659a2feaa0c55ad015",
    ],
)
def test_ids_times_and_plain_numbers_stay(text: str) -> None:
    assert clean_text(text) == text


def test_ids_of_tokens_and_counts_stay(lines: Any) -> None:
    lines.log.info("token used", token=12, key_id=3, share="binance:spot:0", feed="connected")
    assert lines.read()[0]["labels"] == {
        "token": 12,
        "key_id": 3,
        "share": "binance:spot:0",
        "feed": "connected",
    }


def test_the_id_of_a_request_goes_with_the_task_that_it_asked_for(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(request_id="from-the-web")
    headers: dict[str, Any] = {}
    send_request_id(headers=headers)
    structlog.contextvars.clear_contextvars()
    task = SimpleNamespace(name="journal.stamp", request=SimpleNamespace(**headers))
    begin(task=task, task_id="t-9")
    lines.log.info("stamped")
    end(task=task, state="SUCCESS")
    lines.log.info("afterwards")
    inside, after = lines.read()
    assert headers == {REQUEST_ID: "from-the-web"}
    assert inside["http.request.id"] == "from-the-web"
    assert inside["labels"] == {"task_id": "t-9", "task": "journal.stamp"}
    assert "http.request.id" not in after
    assert "labels" not in after


def test_an_answer_tells_the_id_that_its_log_lines_have(client: Client) -> None:
    given = "0123456789abcdef"
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given
    ours = client.get("/healthz", headers={"X-Request-ID": "evil\x1b[31m value"})["X-Request-ID"]
    assert len(ours) == 32
