"""A log line in the names of the Elastic Common Schema 8.11, for whoever collects logs."""

import os
import platform
from collections.abc import MutableMapping
from typing import Any

VERSION = "8.11.0"
# ours -> ECS's; whatever is not named is a label
NAMES = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "event": "message",
    "logger": "log.logger",
    "request_id": "http.request.id",
    "status": "http.response.status_code",
    "user": "user.id",
    "exception": "error.stack_trace",
    "error": "error.type",
    "code": "error.code",
    "file": "file.path",
}


def as_ecs(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A step of structlog."""
    line: dict[str, Any] = {
        "@timestamp": event.get("timestamp"),
        "log.level": event.get("level"),
        "message": event.get("event"),
        "ecs.version": VERSION,
        "service.name": "tapelog",
        "event.dataset": "tapelog.log",
        "process.pid": os.getpid(),
        "host.name": platform.node(),
    }
    labels: dict[str, Any] = {}
    for name, value in event.items():
        if name in NAMES:
            # ids are words there
            line[NAMES[name]] = str(value) if name == "user" else value
        else:
            labels[name] = value if isinstance(value, bool | int | float) else str(value)
    if labels:
        line["labels"] = labels
    return line
