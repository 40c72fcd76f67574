"""What users want to be told of, what happened, and whom it has to reach."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from alerts.conditions.states import State
from lib.envelope import Binding


class OwnQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> "OwnQuerySet":
        return self.filter(user=user)


OwnManager = models.Manager.from_queryset(OwnQuerySet)


class OfUser(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    objects = OwnManager()

    class Meta:
        abstract = True


class Channel(OfUser):
    """A way out of this installation to one user."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", _("Webhook")
        EMAIL = "email", _("E-mail")
        TELEGRAM = "telegram", _("Telegram")
        WEBPUSH = "webpush", _("Web push")
        APPRISE = "apprise", _("Apprise")

    class Status(models.TextChoices):
        # nothing is sent to it but the proof
        UNPROVEN = "unproven", _("Unproven")
        PROVEN = "proven", _("Proven")
        # something could not be delivered for a day
        FAILING = "failing", _("Failing")

    # made before its secrets are sealed, since they are bound to it
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=60)
    # where it leads, without what is secret of it
    shown = models.CharField(max_length=120)
    # sealed (accounts.vault): the address or token, and the key that webhooks are signed with
    target = models.BinaryField(editable=False)
    secret = models.BinaryField(editable=False)
    # the key-encryption key of both
    kek_id = models.PositiveIntegerField(editable=False)
    state = models.CharField(max_length=8, choices=Status.choices, default=Status.UNPROVEN)
    # what the last failed delivery said
    problem = models.CharField(max_length=200, blank=True)
    # SHA-256 of the code that proves it (not webhooks), until when it counts, and wrong tries
    code_digest = models.CharField(max_length=64, blank=True, editable=False)
    code_until = models.DateTimeField(null=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="channel_once")
        ]
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def binding(self, field: str) -> Binding:
        """Where a sealed value of this row belongs."""
        return Binding("alert_channel", str(self.pk), self.user_id, field)

    def sealed(self) -> dict[str, bytes]:
        return {"target": bytes(self.target), "secret": bytes(self.secret)}


class Alert(OfUser):
    """A condition, whom to tell, and how often at most."""

    name = models.CharField(max_length=80)
    # as alerts.conditions.kinds.parse keeps it; three of its fields also as columns
    condition = models.JSONField()
    kind = models.CharField(max_length=24)
    market = models.CharField(max_length=8, blank=True)
    symbol = models.CharField(max_length=40, blank=True)
    channels: "models.ManyToManyField[Channel, Any]" = models.ManyToManyField(
        Channel, related_name="alerts"
    )
    cooldown_s = models.PositiveIntegerField()
    # pauses itself when it has fired
    once = models.BooleanField(default=False)
    is_paused = models.BooleanField(default=False)
    # the language that it was made in, for what leaves the house
    language = models.CharField(max_length=8, default="en")
    # where it stands (alerts.conditions.states.State), and what was compared with; grows with each
    # change of anything: who wants to write from an older one reads anew
    state = models.JSONField(default=dict)
    version = models.BigIntegerField(default=1)
    firings = models.PositiveIntegerField(default=0)
    last_fired_at = models.DateTimeField(null=True)
    # nothing before it counts
    since = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "market", "symbol"],
                condition=models.Q(is_paused=False),
                name="alerts_at_work",
            )
        ]
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def standing(self) -> State:
        return State.from_json(self.state)


class AlertEvent(OfUser):
    """Something that an alert waited for, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.SET_NULL, null=True, related_name="events")
    # the alert's name, for when it is gone
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=24)
    # which crossing of the alert: its number, or the name of what happened
    crossing = models.CharField(max_length=160)
    # the exchange's time
    at = models.DateTimeField()
    # exact text in the kind's own measure; empty where there is no number
    value = models.CharField(max_length=60, blank=True)
    # a sentence in the language that the alert was made in
    text = models.CharField(max_length=300)
    # what the sentence is made of, and where its page is
    facts = models.JSONField(default=dict)
    is_read = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "crossing"], name="crossing_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at", "-id"], name="events_of_a_user"),
            models.Index(fields=["user"], condition=models.Q(is_read=False), name="unread_events"),
        ]
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} {self.crossing}"


class Delivery(models.Model):
    """The outbox: one event on its way to one channel."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        # tried for a day
        DEAD = "dead", _("Given up")
        # the channel was not proven when it happened
        UNPROVEN = "unproven", _("Channel unproven")

    event = models.ForeignKey(AlertEvent, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # how often it was begun: the number of the newest attempt
    tries = models.PositiveSmallIntegerField(default=0)
    # not to be begun before; while an attempt is under way, when another one may be
    due_at = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "channel"], name="delivery_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="waiting"), name="deliveries_due"
            )
        ]
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.channel_id}"


class WatchedUntil(models.Model):
    """Up to which time a market's bars, or a kind of fact, have been looked at, so that a new
    evaluator goes on from there."""

    # market:symbol, or the name of the source
    name = models.CharField(max_length=64, primary_key=True)
    # epoch ms of the exchange
    until_ms = models.BigIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} until {self.until_ms}"


class PushKey(models.Model):
    """The installation's VAPID key, which browsers' push services know it by."""

    # one row
    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # uncompressed point, base64url
    public = models.CharField(max_length=100)
    # sealed: the private key in PEM
    private = models.BinaryField(editable=False)
    kek_id = models.PositiveIntegerField(editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_push_key")
        ]

    def __str__(self) -> str:
        return "push key"

    @staticmethod
    def binding(field: str = "private") -> Binding:
        return Binding("alert_push_key", "1", 0, field)

    def sealed(self) -> dict[str, bytes]:
        return {"private": bytes(self.private)}
