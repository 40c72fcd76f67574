"""From the outbox to the channels: at least once, with growing pauses, for a day.

An attempt is counted and given its time before anything is sent, so that a killed worker's delivery
is begun again, under the next number, when that time is over.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.vault import keyring
from accounts.vault.keyfiles import KeyProblem
from alerts.answers import url_of, webhook_body
from alerts.delivery import senders
from alerts.delivery.guard import Refused
from alerts.delivery.senders import Parcel
from alerts.delivery.wire import Undelivered
from alerts.models import AlertEvent, Channel, Delivery
from alerts.services import push_keys
from alerts.services.firing import say
from alerts.texts import sentence
from lib.envelope import NotOurs
from lib.secret import Secret

log = structlog.get_logger(__name__)

AT_ONCE = 8
# An attempt that says nothing for so long was killed.
ATTEMPT = timedelta(seconds=60)
# After the n-th attempt 2**n seconds, until it would be older than this.
GIVEN_UP_AFTER = timedelta(days=1)
_couriers = ThreadPoolExecutor(AT_ONCE, "deliver")


def deliver_due() -> int:
    """One round of what is due, several at once. Returns how many were begun."""
    begun = _claim()
    parcels = [(row, _pack(row)) for row in begun]
    sent = {
        row.pk: _couriers.submit(_send, parcel) for row, parcel in parcels if parcel is not None
    }
    for row, _parcel in parcels:
        problem = sent[row.pk].result() if row.pk in sent else "the key cannot be opened here"
        _settle(row, problem)
    return len(begun)


def is_due() -> bool:
    """Whether there is anything to send now."""
    return _due(timezone.now()).exists()


def _due(now: datetime) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now)


@transaction.atomic
def _claim() -> list[Delivery]:
    now = timezone.now()
    rows = list(
        _due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event", "channel")
        .order_by("due_at", "pk")[:AT_ONCE]
    )
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        tries=F("tries") + 1, due_at=now + ATTEMPT
    )
    for row in rows:
        row.tries += 1
    return rows


def _pack(row: Delivery) -> Parcel | None:
    """With its secrets open; None where they do not open here."""
    channel, event = row.channel, row.event
    try:
        target, secret = open_secrets(channel)
        return Parcel(
            kind=channel.kind,
            target=target,
            secret=secret,
            body=webhook_body(event),
            text=event.text,
            url=url_of(event),
            attempt=row.tries,
            push_key=push_key_for(channel),
        )
    except (KeyProblem, NotOurs) as error:
        log.warning("channel not opened", channel=str(channel.pk), error=type(error).__name__)
        return None


def open_secrets(channel: Channel) -> tuple[Secret, Secret]:
    """(target, signing key). Raises KeyProblem, NotOurs."""
    sealed = channel.sealed()
    return (
        keyring.unseal(sealed["target"], channel.binding("target")),
        keyring.unseal(sealed["secret"], channel.binding("secret")),
    )


def push_key_for(channel: Channel) -> Secret:
    """Raises KeyProblem, NotOurs."""
    is_push = channel.kind == Channel.Kind.WEBPUSH
    return push_keys.private_key() if is_push else Secret(b"")


def _send(parcel: Parcel) -> str:
    """What went wrong, empty when nothing did."""
    try:
        senders.send(parcel)
    except (Undelivered, Refused) as error:
        return str(error)[:200] or "not delivered"
    except Exception as error:  # whatever a library does with an address, it stays with this one
        log.exception("courier broke", kind=parcel.kind)
        return f"not delivered: {type(error).__name__}"
    finally:
        parcel.target.wipe()
        parcel.secret.wipe()
    return ""


@transaction.atomic
def _settle(row: Delivery, problem: str) -> None:
    """Write down what came of an attempt, unless a newer one has begun."""
    now = timezone.now()
    mine = Delivery.objects.filter(pk=row.pk, state=Delivery.State.WAITING, tries=row.tries)
    if not problem:
        if mine.update(state=Delivery.State.SENT, sent_at=now, problem=""):
            failing = Channel.objects.filter(pk=row.channel_id, state=Channel.Status.FAILING)
            failing.update(state=Channel.Status.PROVEN, problem="")
        return
    again_at = now + timedelta(seconds=2 ** min(row.tries, 20))
    if again_at <= row.created_at + GIVEN_UP_AFTER:
        mine.update(due_at=again_at, problem=problem)
        return
    if mine.update(state=Delivery.State.DEAD, problem=problem):
        log.warning("delivery given up", channel=str(row.channel_id), tries=row.tries)
        Channel.objects.filter(pk=row.channel_id).update(
            state=Channel.Status.FAILING, problem=problem
        )
        _tell_owner(row)


def _tell_owner(row: Delivery) -> None:
    """On the page only: the channel that failed is no way to say so."""
    event = row.event
    language = event.alert.language if event.alert is not None else "en"
    facts = {"channel": row.channel.name, "path": "/alerts/channels/"}
    dead = AlertEvent.objects.create(
        user_id=event.user_id,
        alert_id=event.alert_id,
        name=event.name,
        kind="dead",
        crossing=f"dead:{row.pk}",
        at=timezone.now(),
        text=sentence("dead", facts, language),
        facts=facts,
    )
    say(dead, [])
