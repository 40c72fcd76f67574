"""What is imported from the exchange's archive, and how long bars are kept."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from market.models.instruments import Instrument


class ArchiveFile(models.Model):
    """A file of the exchange's archive whose rows are all in."""

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="archive_files"
    )
    name = models.CharField(max_length=120)
    # SHA-256 of the file as imported: one that was corrected later is imported again
    checksum = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    imported_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "name"], name="archive_file")
        ]
        ordering: ClassVar = ["instrument", "name"]

    def __str__(self) -> str:
        return self.name


class ImportJob(models.Model):
    """An import that was asked for on the staff page, and how far it is."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    market = models.CharField(max_length=8, choices=Instrument.Market.choices)
    symbol = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    # UTC days, both inclusive
    first_day = models.DateField()
    last_day = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # asked to stop; the importer looks at it between two chunks
    is_to_stop = models.BooleanField(default=False)
    files = models.IntegerField(default=0)
    files_done = models.IntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    rows_per_second = models.IntegerField(default=0)
    # the file at work, or why it ended
    note = models.TextField(blank=True)
    # how often it was begun without coming to an end
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    # moves while it runs: a running job that stands still was killed
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.first_day}..{self.last_day} {self.state}"


class Retention(models.Model):
    """How long bars of a grain are kept; a row of an instrument goes before the general one."""

    class Grain(models.TextChoices):
        SECOND = "1s", "1 s"
        MINUTE = "1m", "1 m"
        HOUR = "1h", "1 h"
        DAY = "1d", "1 d"

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, null=True, blank=True, related_name="retentions"
    )
    grain = models.CharField(max_length=2, choices=Grain.choices)
    # whole UTC days; empty: for ever
    days = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "grain"], name="retention", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(days=None) | models.Q(days__gte=2), name="retention_days"
            ),
        ]
        ordering: ClassVar = ["instrument", "grain"]

    def __str__(self) -> str:
        kept = "for ever" if self.days is None else f"{self.days} days"
        return f"{self.instrument or 'all'} {self.grain}: {kept}"
