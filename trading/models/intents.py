"""What somebody wanted of the exchange, written down before anything is sent."""

import base64
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models import ExchangeAccount, User

# How an order ends at the exchange (an algo order: FINISHED, TRIGGERED).
OVER = frozenset(
    {
        "FILLED",
        "CANCELED",
        "EXPIRED",
        "EXPIRED_IN_MATCH",
        "REJECTED",
        "FINISHED",
        "TRIGGERED",
    }
)
# What was not sent so long after its making is never sent.
SENT_WITHIN = timedelta(seconds=10)


class Idempotency(models.Model):
    """A key of `Idempotency-Key`, kept for ever: whoever repeats it gets what it led to."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    # SHA-256 of method, address and canonical body
    digest = models.CharField(max_length=64)
    # of what is no order (PATCH, flatten): the answer, as soon as there is one
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(default=dict)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return f"key {self.key} of user {self.user_id}"


class OrderIntentQuerySet(models.QuerySet["OrderIntent"]):
    def visible_to(self, user: User) -> "OrderIntentQuerySet":
        return self.filter(user=user, account__venue=settings.VENUE)

    def here(self) -> "OrderIntentQuerySet":
        return self.filter(account__venue=settings.VENUE)


class OrderIntent(models.Model):
    class State(models.TextChoices):
        WRITTEN = "written"
        # claimed: from here on it may have left
        SENT = "sent"
        # it may be there: asked for by its client order id, never sent again
        UNKNOWN = "unknown"
        ACCEPTED = "accepted"
        REFUSED = "refused"
        # never sent
        EXPIRED = "expired"

    # Nothing more is to come of these by itself.
    ENDED: ClassVar = [State.ACCEPTED, State.REFUSED, State.EXPIRED]

    class Role(models.TextChoices):
        # asked for by its owner
        ORDER = "order"
        # made by us for the order above it
        STOP = "stop"
        TARGET = "target"
        # one-click exit and flattening
        EXIT = "exit"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="+")
    # the order whose stop or target this is
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="legs")
    idempotency = models.OneToOneField(
        Idempotency, on_delete=models.CASCADE, null=True, related_name="intent"
    )
    role = models.CharField(max_length=6, choices=Role.choices, default=Role.ORDER)
    market = models.CharField(max_length=8)
    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=4)
    # our own, and the exchange's name of it
    client_id = models.CharField(max_length=36, unique=True)
    # what was asked for, as it was asked
    body = models.JSONField()
    # what is sent: {"method", "path", "params"}; frozen with the intent
    request = models.JSONField()
    # entry, stop, targets, risk, setup, note and the flow of the moment
    plan = models.JSONField(default=dict)
    is_reduce_only = models.BooleanField(default=False)
    # quote that it may move, and what its stop puts at stake
    notional = models.DecimalField(max_digits=40, decimal_places=16, null=True)
    risk = models.DecimalField(max_digits=40, decimal_places=16, null=True)

    state = models.CharField(max_length=8, choices=State.choices, default=State.WRITTEN)
    # of refused and expired: the exchange's code or ours, and a sentence
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    # the exchange's order as it was last told, {} where nothing is known
    order = models.JSONField(default=dict)
    # [{"state", "at" (ms), "by", "why"}], oldest first
    history = models.JSONField(default=list)
    # which life of the database it was made in (trading.services.lives)
    life = models.CharField(max_length=60)
    made_at = models.DateTimeField(db_default=Now())
    claimed_by = models.CharField(max_length=80, blank=True)
    # the request's own timestamp by the exchange's clock, ms
    timestamp_ms = models.BigIntegerField(null=True)
    # answers "not there" that count, and when they were asked for (exchange ms)
    missed = models.JSONField(default=list)
    # when it is looked at next
    look_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(db_default=Now())
    # cancelled while nobody knew where it was: it is taken out when it arrives
    is_unwanted = models.BooleanField(default=False)
    # when its plan went to the trade that its fills made
    adopted_at = models.DateTimeField(null=True)

    objects = OrderIntentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["written", "sent", "unknown", "accepted", "refused", "expired"]
                ),
                name="intent_state",
            ),
            # whoever was sent has the timestamp that says from when on it cannot come into being
            models.CheckConstraint(
                condition=models.Q(state__in=["written", "expired"])
                | models.Q(timestamp_ms__isnull=False)
                | models.Q(state="refused"),
                name="intent_sent_has_timestamp",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-made_at", "-id"], name="intents_by_time"),
            models.Index(
                fields=["made_at"],
                condition=models.Q(state__in=["written", "sent", "unknown"]),
                name="intents_under_way",
            ),
        ]
        ordering: ClassVar = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.side} {self.symbol} {self.state}"

    @property
    def is_algo(self) -> bool:
        """Of the futures' service of conditional orders, which has ids of its own."""
        return bool(self.request.get("path", "").endswith("/algoOrder"))

    @property
    def is_pair(self) -> bool:
        """A list of two exits of which one ends the other."""
        return bool(self.request.get("path", "").endswith("/oco"))

    @property
    def is_entry(self) -> bool:
        return self.role == self.Role.ORDER and not self.is_reduce_only

    @property
    def executed(self) -> Decimal:
        return Decimal(str(self.order.get("executed") or 0))

    @property
    def is_over(self) -> bool:
        """The exchange will do nothing more with its order."""
        return self.order.get("status") in OVER

    @property
    def name_now(self) -> str:
        """The client order id that its order has at the exchange by now: a replaced order has
        another than the one it was placed by."""
        return str(self.order.get("client_id") or self.client_id)

    @property
    def is_protective(self) -> bool:
        """A stop or a way out of ours: it goes out when the limiter is away, as a cancel does."""
        return self.role in {self.Role.STOP, self.Role.EXIT}

    @property
    def stop(self) -> Decimal | None:
        return Decimal(self.plan["stop"]) if self.plan.get("stop") else None

    def note(self, state: str, at: datetime, by: str, why: str = "") -> dict[str, Any]:
        """One line of the history."""
        row = {"state": state, "at": int(at.timestamp() * 1000), "by": by}
        return {**row, "why": why[:200]} if why else row


def new_client_id(kind: str = "o") -> str:
    """28 or 29 characters of lower-case letters and digits: 128 random bits behind `tl` and a
    letter. Nothing in it looks like SQL to a wall."""
    return f"tl{kind}{base64.b32encode(uuid.uuid4().bytes).decode().rstrip('=').lower()}"
