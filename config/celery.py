"""The Celery application; tasks live in each app's tasks.py."""

import os
import time
from importlib import import_module
from typing import Any

import structlog
from celery import Celery
from celery.bin.base import CeleryOption
from celery.signals import (
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tapelog")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.user_options["worker"].add(
    CeleryOption(["--with-beat"], is_flag=True, help="Beat in a thread of this worker.")
)
app.steps["worker"].add("config.beat:Beside")

# A task's message carries the id of the request that asked for it.
REQUEST_ID = "tapelog_request_id"


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Django has configured logging; Celery shall not do it again."""


@worker_init.connect
def start_tally(**kwargs: Any) -> None:
    """What this worker counts goes to Redis (market/hot/tally.py needs the settings)."""
    import_module("market.hot.tally").start()


@before_task_publish.connect
def send_request_id(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if headers is not None and request_id:
        headers[REQUEST_ID] = request_id


@task_prerun.connect
def begin(task: Any = None, task_id: str = "", **kwargs: Any) -> None:
    """Each log line of a task has its id and name, and the id of the request behind it."""
    structlog.contextvars.clear_contextvars()
    ids = {"task_id": task_id, "task": task.name}
    if request_id := getattr(task.request, REQUEST_ID, None):
        ids["request_id"] = request_id
    structlog.contextvars.bind_contextvars(**ids)
    task.request.begun_at = time.perf_counter()


@task_postrun.connect
def end(task: Any = None, state: str | None = None, **kwargs: Any) -> None:
    begun_at = getattr(task.request, "begun_at", None)
    if begun_at is not None:
        timing = import_module("config.measures.timing")
        tally = import_module("market.hot.tally")
        tally.observe(timing.TASK_SECONDS, time.perf_counter() - begun_at, task.name)
        outcome = "failed" if state == "FAILURE" else "done"
        tally.count(timing.TASKS, task.name, outcome)
    structlog.contextvars.clear_contextvars()
