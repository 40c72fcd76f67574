"""What is wrong with a tape, and why a host wants to be left alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("market", "0010_from_archive")]

    operations = [
        migrations.AddField(
            "exchangeban", "reason", models.CharField(blank=True, max_length=200, default=""),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Trouble",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("row", "Unreadable row"), ("refused", "Refused"), ("parked", "Parked")], max_length=8)),
                ("key", models.CharField(blank=True, max_length=80)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("instrument", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="troubles", to="market.instrument")),
            ],
            options={
                "ordering": ["-updated_at"],
                "constraints": [models.UniqueConstraint(fields=("instrument", "kind", "key"), name="trouble_once")],
            },
        ),
    ]
