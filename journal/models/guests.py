"""Visitors of a simulated server who look around without an account of their own."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.models.exchange import ExchangeAccountQuerySet

# how long a guest may stay, and how long one that nobody took is kept
STAYS = timedelta(hours=24)
# owns the account that all demos are copied from; nobody signs in as it
ORIGINAL = "demo-original"
# whose demo that is a copy of, where there is such a user; and how each account of a demo is called
FIRST, LABEL = "demo", "Demo"


class Guest(models.Model):
    """An ordinary user with demo data, made ahead, given to a visitor, and removed after a day."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="guest"
    )
    made_at = models.DateTimeField(default=timezone.now)
    # when a visitor was signed in with it; null while it waits for one
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["made_at"]

    def __str__(self) -> str:
        return f"guest {self.user_id}"

    @property
    def until(self) -> datetime:
        return (self.taken_at or self.made_at) + STAYS


def accounts_asleep() -> ExchangeAccountQuerySet:
    """Accounts of guests that no visitor has taken yet, and the one that they are copied from."""
    return ExchangeAccount.objects.here().filter(
        Q(user__username=ORIGINAL) | Q(user__in=Guest.objects.filter(taken_at=None).values("user"))
    )


def accounts_first() -> ExchangeAccountQuerySet:
    """The demo that is looked at, of which those that are asleep are copies."""
    return ExchangeAccount.objects.here().filter(user__username=FIRST, label=LABEL)


def accounts_copied() -> ExchangeAccountQuerySet:
    """Those whose fills have their flow from the first demo's: nothing is asked for on their
    account."""
    asleep = accounts_asleep()
    return asleep if accounts_first().exists() else asleep.none()
