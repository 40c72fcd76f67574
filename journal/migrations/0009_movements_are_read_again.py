"""Deposits and withdrawals of the funding wallet were not kept, and distributions that were taken
back were kept as paid: they are read again from their beginning; ids keep them free of doubles."""

from typing import Any

from django.db import migrations


def forget(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("journal", "Coverage").objects.filter(
        kind__in=["deposits", "withdrawals", "dividends"]
    )
    rows.update(from_time=None, to_time=None, is_complete=False)
    apps.get_model("journal", "Sync").objects.update(whole_at=None)


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0008_holes_of_earlier_readings"),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop, elidable=True),
    ]
