"""When the database was backed up, and when a backup was restored for a try."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class BackupRun(models.Model):
    """One backup by the schedule or `manage.py backup`, or one trial restore."""

    class Kind(models.TextChoices):
        BACKUP = "backup", _("Backup")
        DRILL = "drill", _("Trial restore")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=6, choices=Kind.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    # the backup's name in BACKUP_DIR
    file = models.CharField(max_length=80, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    tables = models.IntegerField(default=0)
    # when BACKUP_COMMAND took it away, and when that was last tried
    sent_at = models.DateTimeField(null=True, blank=True)
    send_tried_at = models.DateTimeField(null=True, blank=True)
    # what went wrong, of the run or of taking it away
    problem = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="running") | models.Q(ended_at__isnull=False),
                name="backup_run_ended",
            ),
        ]
        ordering: ClassVar = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M} {self.state}"
