"""What a user asks of their own data, and who may become a user."""

import hashlib
import secrets
from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.users import User


class Export(models.Model):
    """A zip of everything that is a user's, made by a worker; one at a time for each."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="export")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # tables written, of how many
    done = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    # its name in Django's storage; empty until it is whole
    file = models.CharField(max_length=120, blank=True)
    asked_at = models.DateTimeField()
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"export of user {self.user_id}: {self.state}"

    @property
    def is_there(self) -> bool:
        return bool(self.file) and self.until is not None and self.until > timezone.now()


class Invitation(models.Model):
    """Lets one newcomer sign up where sign-up is by invitation; only its hash is kept."""

    digest = models.CharField(max_length=64, unique=True)
    # null: the operator's command
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-made_at"]

    def __str__(self) -> str:
        return f"invitation {self.pk}, until {self.until:%F}"

    @staticmethod
    def new_code() -> str:
        return secrets.token_urlsafe(24)

    @staticmethod
    def digest_of(code: str) -> str:
        return hashlib.sha256(code.encode()).hexdigest()
