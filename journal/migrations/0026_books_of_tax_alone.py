from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside whoever writes: the matches of a long history are millions."""

    atomic = False
    dependencies = [
        ("journal", "0025_trades_by_result"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="realized",
            index=models.Index(
                condition=models.Q(("view", "tax")),
                fields=["book"],
                name="realized_for_tax_alone",
            ),
        ),
    ]
