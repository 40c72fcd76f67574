"""Accounts at the exchange."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User
from lib.envelope import Binding


class ExchangeAccountQuerySet(models.QuerySet["ExchangeAccount"]):
    def visible_to(self, user: User) -> "ExchangeAccountQuerySet":
        """A user's own, of the venue that this installation runs on: venues never mix."""
        return self.here().filter(user=user)

    def here(self) -> "ExchangeAccountQuerySet":
        return self.filter(venue=settings.VENUE)


class ExchangeAccount(models.Model):
    """A user's account at the exchange, with its API key sealed."""

    class State(models.TextChoices):
        NEW = "new", _("New")
        CHECKING = "checking", _("Checking")
        SYNCING = "syncing", _("Syncing")
        LIVE = "live", _("Live")
        STALE = "stale", _("Stale")
        BROKEN = "broken", _("Broken")
        PAUSED = "paused", _("Paused")

    class KeyKind(models.TextChoices):
        HMAC = "hmac", "HMAC"
        RSA = "rsa", "RSA"
        ED25519 = "ed25519", "Ed25519"

    # made before its secrets are sealed, since they are bound to it
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exchange_accounts")
    venue = models.CharField(max_length=16)
    label = models.CharField(max_length=60)
    key_kind = models.CharField(max_length=8, choices=KeyKind.choices)
    # sealed (accounts.vault): the API key, and its HMAC secret or private key in PEM
    api_key = models.BinaryField(editable=False)
    api_secret = models.BinaryField(editable=False)
    # the key-encryption key of both
    kek_id = models.PositiveIntegerField(editable=False)
    # keyed hash of the API key, and its last characters for its owner to tell keys apart
    api_key_hash = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    # Binance's own number of the account, from GET /api/v3/account
    binance_uid = models.BigIntegerField(null=True, editable=False)
    # what the key may do, as apiRestrictions says it
    permissions = models.JSONField(default=dict, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    # for broken and stale: a code of accounts.services.connecting, and what was said
    problem = models.CharField(max_length=24, blank=True)
    problem_detail = models.CharField(max_length=300, blank=True)
    # asked ever more seldom from here on, and after some days not at all
    broken_since = models.DateTimeField(null=True, editable=False)
    # what the last look found: [{name, outcome, detail}], and what the account held then
    checks = models.JSONField(default=list, editable=False)
    snapshot = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)
    # the last look at everything: between those only at what the key may do
    looked_at = models.DateTimeField(null=True, editable=False)

    objects = ExchangeAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "api_key_hash"], name="api_key_once"),
            models.UniqueConstraint(fields=["venue", "binance_uid"], name="binance_account_once"),
        ]
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.label} (…{self.last_four})"

    def binding(self, field: str) -> Binding:
        """Where a sealed value of this row belongs."""
        return Binding("exchange_account", str(self.pk), self.user_id, field)

    def sealed(self) -> dict[str, bytes]:
        return {"api_key": bytes(self.api_key), "api_secret": bytes(self.api_secret)}


class TradingKey(models.Model):
    """A key for orders alone, beside the one that an account is read with: where there is one,
    nothing is sent with the other."""

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="trading_key"
    )
    # as the account's own
    key_kind = models.CharField(max_length=8, choices=ExchangeAccount.KeyKind.choices)
    api_key = models.BinaryField(editable=False)
    api_secret = models.BinaryField(editable=False)
    kek_id = models.PositiveIntegerField(editable=False)
    api_key_hash = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    permissions = models.JSONField(default=dict, editable=False)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"orders of {self.account_id} (…{self.last_four})"

    def binding(self, field: str) -> Binding:
        return Binding("trading_key", str(self.pk), self.account.user_id, field)

    def sealed(self) -> dict[str, bytes]:
        return {"api_key": bytes(self.api_key), "api_secret": bytes(self.api_secret)}
