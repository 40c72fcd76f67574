"""Bars know that they came from the archive; import jobs know how often they were begun."""

from django.db import migrations, models

ADD = "ALTER TABLE market_second_bar ADD COLUMN from_archive boolean"
DROP = "ALTER TABLE market_second_bar DROP COLUMN from_archive"


class Migration(migrations.Migration):
    dependencies = [("market", "0009_pinned_at")]

    operations = [
        migrations.RunSQL(ADD, DROP),
        migrations.AddField(
            "importjob", "attempts", models.PositiveSmallIntegerField(default=0)
        ),
    ]
