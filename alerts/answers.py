"""Alerts, events and channels as API, live topic and webhooks say them. Times in epoch ms."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from alerts.models import Alert, AlertEvent, Channel, Delivery
from lib.dates import to_ms


def alert_answer(alert: Alert) -> dict[str, Any]:
    """`channels` have to be prefetched."""
    return {
        "id": alert.pk,
        "name": alert.name,
        "condition": alert.condition,
        "channels": [str(channel.pk) for channel in alert.channels.all()],
        "cooldown_s": alert.cooldown_s,
        "once": alert.once,
        "paused": alert.is_paused,
        "state": state_of(alert),
        "firings": alert.firings,
        "last_fired": None if alert.last_fired_at is None else to_ms(alert.last_fired_at),
        "created": to_ms(alert.created_at),
    }


def state_of(alert: Alert) -> str:
    """paused, armed, or waiting: it has fired and the value has not gone back yet."""
    if alert.is_paused:
        return "paused"
    return "armed" if alert.standing.is_armed else "waiting"


def event_answer(event: AlertEvent, deliveries: Iterable[Delivery]) -> dict[str, Any]:
    return {
        "id": str(event.pk),
        "alert": event.alert_id,
        "name": event.name,
        "kind": event.kind,
        "at": to_ms(event.at),
        "value": event.value or None,
        "text": event.text,
        "read": event.is_read,
        "url": event.facts.get("path"),
        "deliveries": [
            {
                "channel": str(row.channel_id),
                "state": row.state,
                "tries": row.tries,
                "problem": row.problem,
            }
            for row in deliveries
        ],
    }


def webhook_body(event: AlertEvent) -> dict[str, Any]:
    """What a receiver gets, the same at every attempt."""
    return {
        "event": {
            "id": str(event.pk),
            "kind": event.kind,
            "at": to_ms(event.at),
            "value": event.value or None,
            "alert": {"id": event.alert_id, "name": event.name},
            "text": event.text,
            "url": url_of(event),
        }
    }


def url_of(event: AlertEvent) -> str:
    return f"{settings.PUBLIC_URL}{event.facts.get('path', '/alerts/events/')}"


def channel_answer(channel: Channel) -> dict[str, Any]:
    return {
        "id": str(channel.pk),
        "kind": channel.kind,
        "name": channel.name,
        "target": channel.shown,
        "state": channel.state,
        "problem": channel.problem,
        "created": to_ms(channel.created_at),
    }
