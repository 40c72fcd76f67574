"""Key-encryption keys and the processes that hold them."""

from typing import ClassVar

from django.db import models


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
