"""Minutes, hours and days as bars of their own, and which hours they are up to date for."""

import django.db.models.deletion
from django.db import migrations, models

TABLES = ("market_minute_bar", "market_hour_bar", "market_day_bar")
MAKE = "".join(
    f"CREATE TABLE {name} (LIKE market_second_bar INCLUDING DEFAULTS, "
    f"PRIMARY KEY (instrument_id, time)) PARTITION BY RANGE (time);"
    f"CREATE TABLE {name}_rest PARTITION OF {name} DEFAULT;"
    for name in TABLES
)
DROP = "".join(f"DROP TABLE {name} CASCADE;" for name in TABLES)
# what was collected before is still to be rolled up
MARK_EXISTING = """
INSERT INTO market_archivehour (instrument_id, hour, version, is_done)
SELECT DISTINCT instrument_id, date_trunc('hour', time), 1, false FROM market_second_bar
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0002_audit_bans_workers")]

    operations = [
        migrations.CreateModel(
            name="ArchiveHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("version", models.BigIntegerField()),
                ("is_done", models.BooleanField()),
                ("instrument", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="archive_hours", to="market.instrument")),
            ],
            options={
                "ordering": ["-hour"],
                "constraints": [models.UniqueConstraint(fields=("instrument", "hour"), name="archive_hour")],
                "indexes": [models.Index(condition=models.Q(("is_done", False)), fields=["instrument", "hour"], name="archive_hours_due")],
            },
        ),
        migrations.RunSQL(MAKE, DROP),
        migrations.RunSQL(MARK_EXISTING, migrations.RunSQL.noop, elidable=True),
    ]
