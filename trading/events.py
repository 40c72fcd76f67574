"""What others may want to hear of trading (alerts, say): they register through `config`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog

log = structlog.get_logger(__name__)

# An entry without its stop, an order that ended, a rule that was broken, a switch that fell.
Kind = Literal["naked", "intent", "rule", "switch"]


@dataclass(frozen=True)
class TradingEvent:
    """`key` names the one happening, however often it is told."""

    kind: Kind
    user_id: int
    account: str
    key: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[TradingEvent], None]
_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Called inside the transaction of what happened."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(event: TradingEvent) -> None:
    log.info("trading event", kind=event.kind, user=event.user_id, key=event.key)
    for listener in _listeners:
        listener(event)
