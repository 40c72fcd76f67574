"""A coverage that says it has a hole did not say where: anywhere before the exchange's 89 days."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import migrations

KEPT = timedelta(days=89)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def mark(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("journal", "Coverage").objects.filter(note="hole", market="usdm")
    for row in rows.exclude(from_time=None).exclude(to_time=None):
        start, end = row.from_time, row.to_time - KEPT
        if start < end:
            row.holes = [[_ms(start), _ms(end)]]
            row.save(update_fields=["holes"])


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0007_wallets_holes_and_reading_again"),
    ]

    operations = [
        migrations.RunPython(mark, migrations.RunPython.noop, elidable=True),
    ]
