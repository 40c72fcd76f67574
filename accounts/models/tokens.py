"""Personal tokens of the API."""

import hashlib

from django.db import models

from accounts.models.users import User


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
