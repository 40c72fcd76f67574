"""Who you are: users, their API tokens, their exchange accounts, and who did what."""

import hashlib
import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.vault.envelope import Binding


class User(AbstractUser):
    """A trader. Everything private hangs on one user."""

    class Currency(models.TextChoices):
        USD = "USD", _("US dollar")
        EUR = "EUR", _("Euro")
        BTC = "BTC", "Bitcoin"
        ETH = "ETH", "Ether"
        BNB = "BNB", "BNB"

    email = models.EmailField(unique=True)
    # what balances are shown in; where its price is not known, in dollars
    report_currency = models.CharField(max_length=3, choices=Currency.choices, default=Currency.USD)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]


class ApiToken(models.Model):
    """A personal token for the REST API and the live socket; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    # SHA-256 of the token: 256 random bits need no slow hash
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # the first characters, so that its owner can tell tokens apart
    prefix = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… of user {self.user_id}"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()


class KeyEncryptionKey(models.Model):
    """A key file of KEK_DIR: what it may do, and how to tell it from a wrong one."""

    class State(models.TextChoices):
        PRIMARY = "primary", "Primary"  # seals and opens
        ENABLED = "enabled", "Enabled"  # opens
        DISABLED = "disabled", "Disabled"
        DESTROYED = "destroyed", "Destroyed"

    # the file's name, and the id inside each sealed value
    id = models.PositiveIntegerField(primary_key=True)
    state = models.CharField(max_length=9, choices=State.choices)
    # HMAC of a label with the key
    check_value = models.BinaryField(max_length=32)
    # how often it has sealed
    wraps = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="primary"), name="one_primary_key"
            )
        ]
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"key {self.pk}, {self.state}"


class KeyHolder(models.Model):
    """A live process, and the key files that it sees."""

    name = models.CharField(max_length=120, primary_key=True)
    key_ids = models.JSONField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


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
    # what the last look found: [{name, outcome, detail}], and what the account held then
    checks = models.JSONField(default=list, editable=False)
    snapshot = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True)

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


class AuditEntry(models.Model):
    """Who did what to whom and why; never with a value. Rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True)
    # null when a process did it by itself
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="audit_entries")
    action = models.CharField(max_length=40)
    # id of the row that it was done to
    subject = models.CharField(max_length=64)
    why = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.action} {self.subject}"
