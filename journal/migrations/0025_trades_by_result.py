from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # the ledger goes on writing meanwhile
    atomic = False

    dependencies = [
        ("journal", "0024_usual_risk"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="trade",
            index=models.Index(fields=["account", "net_money"], name="trades_by_result"),
        ),
    ]
