"""Alerts and events as a reader reads them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import template
from django.utils.translation import get_language

from alerts.models import Alert, AlertEvent
from alerts.texts import sentence
from alerts.views.forms import KIND_LABELS, LABELS, words_of

register = template.Library()
# What stands in front of the rest, or needs no label.
LEADING = ("symbol", "market")
LEFT_OUT = ("kind", "hysteresis_pct", "account", "setup")


@register.filter
def condition_text(alert: Alert) -> str:
    """`Price crosses a level: BTCUSDT Spot, Price 60000, Direction Up`."""
    condition = alert.condition
    words = partial(words_of, alert.kind)
    parts = [" ".join(words(name, condition[name]) for name in LEADING if name in condition)]
    parts += [
        f"{LABELS[name]} {words(name, value)}"
        for name, value in condition.items()
        if name not in LEADING and name not in LEFT_OUT
    ]
    return f"{KIND_LABELS[alert.kind]}: {', '.join(part for part in parts if part)}".rstrip(": ")


@register.filter
def event_text(event: AlertEvent) -> str:
    """In the reader's language where its words are known, else as it was told."""
    try:
        return sentence(event.kind, event.facts, get_language() or "en")
    except KeyError:
        return str(event.text)


@register.filter
def named(names: Mapping[Any, str], key: Any) -> str:
    return names.get(key, "")
