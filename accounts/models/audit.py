"""Who did what: a chain of rows for each owner, and apart from it what machines do all day."""

import hashlib
import json
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.users import User

# The chain of the server itself, of what is nobody's.
SERVER = 0


class AuditEntry(models.Model):
    """Who did what to whom and why; never with a value. Rows are only ever added: a trigger says
    so, and each row holds the digest of the one before it."""

    at = models.DateTimeField()
    # null when a process did it by itself; a number that outlives its user
    actor = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    # null: the server's own chain. The rows go by `accounts_forget_audit` only.
    owner = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="audit_entries",
        db_constraint=False,
    )
    # 1, 2, 3 … within the owner's chain
    number = models.BigIntegerField()
    action = models.CharField(max_length=60)
    # id of the row that it was done to
    subject = models.CharField(max_length=64)
    why = models.CharField(max_length=200, blank=True)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "number"], name="one_row_a_link"),
            models.UniqueConstraint(
                fields=["number"], condition=Q(owner=None), name="one_server_row_a_link"
            ),
        ]
        ordering: ClassVar = ["-at", "-number"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.action} {self.subject}"

    def digest_now(self) -> str:
        """What `digest` has to be for this row as it stands."""
        told = {
            "action": self.action,
            "actor": self.actor_id,
            "at": self.at.isoformat(),
            "number": self.number,
            "owner": self.owner_id,
            "previous": self.previous,
            "subject": self.subject,
            "why": self.why,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class AuditChain(models.Model):
    """How long an owner's chain is and where it ends, so that a row cut off its end is missed."""

    # a user's id, SERVER for the server's; no foreign key, since it goes with its rows
    owner_number = models.BigIntegerField(primary_key=True)
    length = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"chain of {self.owner_number}: {self.length}"


class CredentialUse(models.Model):
    """A sealed key was opened: machine noise, kept for some months."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="credential_uses")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # id of the row whose key it is
    subject = models.CharField(max_length=64)
    why = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%F %T} {self.subject}: {self.why}"
