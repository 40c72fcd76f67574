"""Files that users bring, and what became of rows that another door told better or that could not
be kept at all."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from journal.models.exchange import Fill, Income, OfAccount, OwnedManager, Source, Transfer

# A worker that has said nothing for so long is gone.
SILENT_AFTER = timedelta(minutes=10)
# What was looked at and never taken in.
FORGOTTEN_AFTER = timedelta(hours=2)


class Upload(OfAccount):
    """An export of Binance's: looked at, taken in once, and undone as a whole when its owner wants
    that."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        READING = "reading", _("Reading")
        LOOKED = "looked", _("Ready to be taken in")
        TAKING = "taking", _("Being taken in")
        TAKEN = "taken", _("Taken in")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        FAILED = "failed", _("Not taken")

    name = models.CharField(max_length=120)
    # empty once it is taken in
    body = models.BinaryField()
    # SHA-256 of the body
    digest = models.CharField(max_length=64)
    # what its owner said where the file does not: `UTC+09:00` or `Asia/Seoul`
    zone = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # of the work at hand
    done = models.IntegerField(default=0)
    # what the look found (journal.services.looking), with a digest of exactly that
    preview = models.JSONField(default=dict)
    # {"code", "values"} of journal.faults where it cannot be taken in
    problem = models.JSONField(default=dict)
    rows_taken = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    taken_at = models.DateTimeField(null=True)

    objects = OwnedManager()

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_at_work(self) -> bool:
        return self.state in {
            self.State.WAITING,
            self.State.READING,
            self.State.TAKING,
            self.State.UNDOING,
        }


class Witness(OfAccount):
    """A row that another door told as well: it counts nowhere, and comes back when the row that won
    goes. Exactly one of `fill`, `transfer` and `income` is the winner."""

    class Kind(models.TextChoices):
        FILL = "fill", _("Fill")
        MANUAL = "manual", _("Fill made by hand")
        TRANSFER = "transfer", _("Transfer")
        INCOME = "income", _("Futures income")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    fill = models.ForeignKey(Fill, on_delete=models.CASCADE, null=True, related_name="witnesses")
    transfer = models.ForeignKey(
        Transfer, on_delete=models.CASCADE, null=True, related_name="witnesses"
    )
    income = models.ForeignKey(
        Income, on_delete=models.CASCADE, null=True, related_name="witnesses"
    )
    # the row as it was (journal.sync.witnesses)
    content = models.JSONField()
    # the file that told it
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedManager()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"witness of {self.fill_id or self.transfer_id or self.income_id}"


class Rejected(OfAccount):
    """A row of the exchange's that the validator left out, each once."""

    source = models.CharField(max_length=6, choices=Source.choices)
    # fill, transfer or income, and what names the row within it
    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=200)
    # {"code", "values"} of journal.faults
    fault = models.JSONField()
    time = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "kind", "name"], name="rejected_once")
        ]
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
