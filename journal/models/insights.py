"""What was computed of a user's trades and is kept until they change. Every row can be thrown
away: it is computed anew when somebody looks."""

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models.notes import OfUser, OwnManager


class InsightPart(OfUser):
    """One part of the insight under one filter and unit."""

    # a name of journal.insight.parts
    name = models.CharField(max_length=16)
    # a digest of filter and unit, and both as they are
    question = models.CharField(max_length=64)
    filters = models.JSONField(default=dict)
    unit = models.CharField(max_length=8)
    # of the trades that the answer was made of (journal.insight.versions); empty: there is none
    version = models.CharField(max_length=64, blank=True)
    answer = models.JSONField(null=True)
    computed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(default=timezone.now)
    # when a worker was last asked, or last said that it goes on
    beat_at = models.DateTimeField(null=True)
    # how far it is, in whatever it counts; 0 of 0: not begun
    done = models.IntegerField(default=0)
    expected = models.IntegerField(default=0)
    # how often it was begun in vain, for which version
    tries = models.IntegerField(default=0)
    tried_version = models.CharField(max_length=64, blank=True)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name", "question"], name="insight_part_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} of user {self.user_id}"


class InsightTrades(models.Model):
    """The trades behind one number of a part."""

    part = models.ForeignKey(InsightPart, on_delete=models.CASCADE, related_name="trades")
    by = models.CharField(max_length=40)
    group = models.CharField(max_length=80, blank=True)
    # journal.insight.ids: ids by closing, oldest first
    ids = models.BinaryField()
    count = models.IntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["part", "by", "group"], name="insight_trades_once")
        ]

    def __str__(self) -> str:
        return f"{self.by} {self.group} of part {self.part_id}"


class TradesVersionQuerySet(models.QuerySet["TradesVersion"]):
    def visible_to(self, user: User) -> "TradesVersionQuerySet":
        return self.filter(account__user=user)

    def raise_for(self, account_ids: Iterable[UUID]) -> None:
        """What is kept of these accounts' trades is of yesterday."""
        for account_id in sorted(set(account_ids)):
            made, is_new = self.get_or_create(account_id=account_id)
            if not is_new:
                self.filter(pk=made.pk).update(number=F("number") + 1)


class TradesVersion(models.Model):
    """Grows when closed trades of an account are written on by others than its books: stamps,
    stops."""

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    number = models.BigIntegerField(default=1)

    objects = TradesVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"version {self.number} of account {self.account_id}"
