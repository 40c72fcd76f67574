"""Rules about oneself, and what breaking them cost."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from trading.models.intents import OrderIntent


class Rule(models.Model):
    class Name(models.TextChoices):
        DAY_LOSS = "day_loss", _("Most loss of a day")
        DAY_TRADES = "day_trades", _("Most trades of a day")
        PAUSE = "pause", _("Pause after losses in a row")
        HOURS = "hours", _("Hours without trading")
        TILT = "tilt", _("Size after a loss")
        STOP = "stop", _("No entry without a stop")
        SETUPS = "setups", _("Only these setups")

    class Mode(models.TextChoices):
        WARN = "warn", _("Warn")
        BLOCK = "block", _("Block")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="trading_rules")
    name = models.CharField(max_length=12, choices=Name.choices)
    # the limit; its shape is the name's (trading.limits)
    value = models.JSONField()
    mode = models.CharField(max_length=5, choices=Mode.choices, default=Mode.WARN)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="trading_rule_once")
        ]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name} of user {self.user_id}"


class RuleBreak(models.Model):
    """An order that was placed although a rule spoke against it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=12, choices=Rule.Name.choices)
    # how it stood then
    mode = models.CharField(max_length=5, choices=Rule.Mode.choices)
    value = models.JSONField()
    detail = models.CharField(max_length=300)
    # the words by which its owner went round a block
    reason = models.CharField(max_length=300, blank=True)
    intent = models.ForeignKey(OrderIntent, on_delete=models.CASCADE, related_name="breaks")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-at"], name="rule_breaks_by_time")]
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.rule} broken by user {self.user_id}"
