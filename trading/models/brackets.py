"""Templates of brackets: where the stop and the targets of an entry go."""

from typing import ClassVar

from django.db import models

from accounts.models import User


class Bracket(models.Model):
    """One stop, several targets, and how much may be lost; every part may be left open."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="brackets")
    name = models.CharField(max_length=60)
    # distance of the stop from the entry, in percent of it
    stop_percent = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    # multiples of the risk, decimal text, the nearest first
    targets = models.JSONField(default=list)
    # what may be lost: {"money": "25"} or {"percent": "0.5"} of the equity; {}: as it stands
    risk = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="bracket_once")
        ]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
