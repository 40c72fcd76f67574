"""What a log line goes through, ours and libraries' alike."""

from typing import Any

import structlog

from config.logs.ecs import as_ecs
from config.logs.private import keep_private


def first(how: str) -> list[Any]:
    """`how`: console or json."""
    common = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level]
    if how == "json":
        timestamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        return [*common, structlog.stdlib.add_logger_name, timestamp]
    return [*common, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)]


def last(how: str) -> list[Any]:
    """Nothing comes after the rendering, and nothing is rendered that was not looked through."""
    common = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        keep_private,
    ]
    if how == "json":
        return [*common, as_ecs, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [*common, structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
