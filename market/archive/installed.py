"""Since when this installation is."""

from datetime import datetime

from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min
from django.utils import timezone


def installed_at() -> datetime:
    """When this database's first migration ran."""
    first: datetime | None = MigrationRecorder.Migration.objects.aggregate(at=Min("applied"))["at"]
    return first or timezone.now()
