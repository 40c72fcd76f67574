from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside whoever writes; one that was broken off leaves an index that is not valid."""

    atomic = False

    dependencies = [
        ("journal", "0024_usual_risk"),
    ]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS trades_by_result", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="trade",
            index=models.Index(fields=["account", "net_money"], name="trades_by_result"),
        ),
    ]
