"""The one way an event comes to be: with its outbox, and with the alert's next state, in one
transaction, and only if the alert still is what the evaluator looked at.

Right by the version, not by the lock: two evaluators, a restart or a replay may look at the same
crossing; one of them writes it, the other is behind and reads anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from alerts.answers import event_answer
from alerts.conditions.states import State
from alerts.models import Alert, AlertEvent, Channel, Delivery
from alerts.texts import sentence
from journal import live
from lib.dates import from_ms, to_ms

PROVEN = {Channel.Status.PROVEN, Channel.Status.FAILING}


class Behind(Exception):
    """The alert is no longer what it was when it was looked at."""


@dataclass(frozen=True)
class Told:
    """What is said of a crossing; `facts` are the words of the kind's sentence, and the path of its
    page."""

    at_ms: int
    value: str
    facts: Mapping[str, Any]


def move(alert_id: int, version: int, state: State) -> int:
    """An alert is armed, or unarmed without being told. Returns its version. Raises Behind."""
    at_work = Alert.objects.filter(pk=alert_id, version=version, is_paused=False)
    if not at_work.update(state=state.as_json(), version=F("version") + 1):
        raise Behind
    return version + 1


@transaction.atomic
def fire(alert_id: int, version: int, state: State, told: Told) -> int:
    """A crossing in an alert's own count. Returns its version. Raises Behind."""
    alert = (
        Alert.objects.select_for_update()
        .filter(pk=alert_id, version=version, is_paused=False)
        .first()
    )
    if alert is None:
        raise Behind
    alert.state = state.as_json()
    _write(alert, str(alert.firings + 1), told)
    return int(alert.version)


@transaction.atomic
def tell(alert_id: int, crossing: str, told: Told) -> AlertEvent | None:
    """Something that happened, by its own name. None when it was told, comes within the cooldown,
    or the alert is at rest."""
    alert = Alert.objects.select_for_update().filter(pk=alert_id, is_paused=False).first()
    if alert is None or alert.events.filter(crossing=crossing).exists():
        return None
    if alert.last_fired_at is not None:
        since_ms = told.at_ms - to_ms(alert.last_fired_at)
        if 0 <= since_ms < alert.cooldown_s * 1000:
            return None
    return _write(alert, crossing, told)


@transaction.atomic
def test(alert: Alert, at_ms: int) -> AlertEvent:
    """An event that says it is a test, to all of the alert's channels; the alert stays as it is."""
    facts = {"name": alert.name, "path": "/alerts/events/"}
    return _event(alert, f"test:{at_ms}", "test", Told(at_ms, "", facts))


def _write(alert: Alert, crossing: str, told: Told) -> AlertEvent:
    alert.firings += 1
    alert.version += 1
    alert.last_fired_at = from_ms(told.at_ms)
    alert.is_paused = alert.once
    alert.save(update_fields=["state", "firings", "version", "last_fired_at", "is_paused"])
    return _event(alert, crossing, alert.kind, told)


def _event(alert: Alert, crossing: str, kind: str, told: Told) -> AlertEvent:
    event = AlertEvent.objects.create(
        user_id=alert.user_id,
        alert=alert,
        name=alert.name,
        kind=kind,
        crossing=crossing,
        at=from_ms(told.at_ms),
        value=told.value,
        text=sentence(kind, told.facts, alert.language),
        facts=dict(told.facts),
    )
    states = Delivery.State
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            event=event,
            channel=channel,
            state=states.WAITING if channel.state in PROVEN else states.UNPROVEN,
        )
        for channel in alert.channels.all()
    )
    say(event, deliveries)
    return event


def say(event: AlertEvent, deliveries: list[Delivery]) -> None:
    """To the owner's open pages, once it is committed."""
    data = event_answer(event, deliveries)
    user_id, slot, time_ms = event.user_id, str(event.pk), to_ms(event.at)
    transaction.on_commit(lambda: live.tell(user_id, "alerts", slot, time_ms, data))
