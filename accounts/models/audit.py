"""Who did what."""

from typing import ClassVar

from django.db import models

from accounts.models.users import User


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
