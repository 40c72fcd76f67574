import django.db.models.deletion
from django.db import migrations, models

import journal.models.trades


class Migration(migrations.Migration):
    dependencies = [("journal", "0019_guests_and_the_browsers_zone")]

    operations = [
        migrations.AddField(
            model_name="book",
            name="has_stated",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="realized",
            name="view",
            field=models.CharField(
                choices=[
                    ("both", "Both"),
                    ("trades", "Trades"),
                    ("tax", "Tax"),
                    ("stated", "By stated costs"),
                ],
                default="both",
                max_length=6,
            ),
        ),
        migrations.CreateModel(
            name="StatedCost",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asset", models.CharField(max_length=20)),
                ("external_id", models.CharField(max_length=80)),
                ("amount", models.DecimalField(decimal_places=18, max_digits=40)),
                ("time", models.DateTimeField()),
                ("cost", journal.models.trades.Money(decimal_places=18, max_digits=44)),
                ("bought_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.exchangeaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "asset", "external_id"), name="stated_cost_once"
                    )
                ],
            },
        ),
    ]
