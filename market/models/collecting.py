"""Who collects what, and what keeps them from it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.instruments import Instrument


class CollectorWorker(models.Model):
    """A process that takes shares: how many there are decides how many shares there are."""

    name = models.CharField(max_length=120, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CollectorLease(models.Model):
    """Who collects a share. It only saves work: two collectors give the same bars as one."""

    share = models.CharField(max_length=80, primary_key=True)
    holder = models.CharField(max_length=120, blank=True)
    until = models.DateTimeField()
    # what the holder says of itself: connected, reconnecting, …
    state = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"{self.share} held by {self.holder}"


class ExchangeBan(models.Model):
    """A host that told this address to be silent; kept here too, since a Redis that was wiped must
    not let anybody call."""

    host = models.CharField(max_length=200, primary_key=True)
    until = models.DateTimeField()
    # what the exchange answered
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.host} until {self.until:%F %T}"


class Trouble(models.Model):
    """What somebody should know of a tape, in the exchange's words or ours."""

    class Kind(models.TextChoices):
        # a row that cannot be read was left out; `key` is its id
        ROW = "row", _("Unreadable row")
        # the exchange refuses to answer; `key` says what was asked for
        REFUSED = "refused", _("Refused")
        # nothing was collected for a while, since something in it cannot be worked with
        PARKED = "parked", _("Parked")

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="troubles")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=80, blank=True)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "kind", "key"], name="trouble_once")
        ]
        ordering: ClassVar = ["-updated_at"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.kind} {self.key}"
