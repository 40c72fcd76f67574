"""Personal tokens for the REST API and the live socket."""

import hashlib
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.users import User
from lib.envelope import Binding


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self) -> "ApiTokenQuerySet":
        """Not past their end, of active users."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)


class ApiToken(models.Model):
    """Only its hash is kept. One that is bound to a key works with signed requests only."""

    class KeyKind(models.TextChoices):
        NONE = "", "–"
        HMAC = "hmac", "HMAC-SHA256"
        ED25519 = "ed25519", "Ed25519"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60, blank=True)
    # SHA-256 of the token: 256 random bits need no slow hash
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # the first characters, so that its owner can tell tokens apart; a signature's keyid
    prefix = models.CharField(max_length=12, editable=False)
    # what it may do: words of accounts.scopes
    scopes = models.JSONField(default=list)
    # CIDR networks that it may be used from; none: from anywhere
    networks = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    # the neighbourhood (/24, /48) of the last use, not the address
    last_used_from = models.CharField(max_length=49, blank=True, editable=False)
    # the key that its requests are signed with, sealed (accounts.vault): HMAC's secret, or the raw
    # public key of Ed25519
    key_kind = models.CharField(
        max_length=7, choices=KeyKind.choices, default=KeyKind.NONE, blank=True
    )
    key = models.BinaryField(default=b"", editable=False)
    kek_id = models.PositiveIntegerField(default=0, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… of user {self.user_id}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    def binding(self, field: str) -> Binding:
        """Where a sealed value of this row belongs."""
        return Binding("api_token", str(self.pk), self.user_id, field)

    def sealed(self) -> dict[str, bytes]:
        return {"key": bytes(self.key)}

    def has_ended(self, now: datetime | None = None) -> bool:
        return self.expires_at <= (now or timezone.now())
