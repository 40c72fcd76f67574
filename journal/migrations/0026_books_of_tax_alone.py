from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside whoever writes, however long that takes: the matches of a long history are
    millions. One that was broken off leaves an index that is not valid."""

    atomic = False
    dependencies = [
        ("journal", "0025_trades_by_result"),
    ]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS realized_for_tax_alone", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="realized",
            index=models.Index(
                condition=models.Q(("view", "tax")),
                fields=["book"],
                name="realized_for_tax_alone",
            ),
        ),
    ]
