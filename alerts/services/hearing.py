"""What trading says of rules and of entries without a stop, for alerts of the kind `rule`."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from alerts.models import Alert
from alerts.services import firing
from alerts.services.firing import Told

RULES = {"rule", "naked", "switch"}


class Happening(Protocol):
    """As trading tells it; `key` names the one happening, however often it is told."""

    @property
    def kind(self) -> str: ...
    @property
    def user_id(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


def hear(event: Happening) -> None:
    """Inside the transaction of what happened. An alert that names a rule hears of that one (or of
    `naked`, `switch`) only."""
    if event.kind not in RULES:
        return
    name = str(event.data.get("rule", event.kind))
    mine = Alert.objects.filter(kind="rule", user_id=event.user_id, is_paused=False)
    for alert in mine.order_by("pk"):
        if alert.condition.get("rule", name) in {name, event.kind}:
            facts = {"rule": event.text, "path": "/"}
            told = Told(int(time.time() * 1000), "", facts)
            firing.tell(alert.pk, f"{event.kind}:{event.key}"[:160], told)
