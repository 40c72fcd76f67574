"""The market's tables. 1 s bars are partitioned by day; partitions are made ahead by the writers."""

import django.db.models.deletion
from django.db import migrations, models

SECOND_BAR = """
CREATE TABLE market_second_bar (
    instrument_id bigint NOT NULL,
    time timestamptz NOT NULL,
    open numeric(28, 8) NOT NULL,
    high numeric(28, 8) NOT NULL,
    low numeric(28, 8) NOT NULL,
    close numeric(28, 8) NOT NULL,
    trades integer NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    base_buy numeric(38, 8) NOT NULL,
    base_sell numeric(38, 8) NOT NULL,
    quote_buy numeric(48, 16) NOT NULL,
    quote_sell numeric(48, 16) NOT NULL,
    delta_low numeric(48, 16) NOT NULL,
    delta_high numeric(48, 16) NOT NULL,
    bid numeric(28, 8) NOT NULL,
    ask numeric(28, 8) NOT NULL,
    trade_bands text NOT NULL,
    order_bands text NOT NULL,
    band_set varchar(16) NOT NULL,
    revision integer NOT NULL,
    PRIMARY KEY (instrument_id, time)
) PARTITION BY RANGE (time);
CREATE TABLE market_second_bar_rest PARTITION OF market_second_bar DEFAULT;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CollectorLease",
            fields=[
                ("share", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("holder", models.CharField(blank=True, max_length=120)),
                ("until", models.DateTimeField()),
                ("state", models.CharField(blank=True, max_length=20)),
            ],
        ),
        migrations.CreateModel(
            name="Instrument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("venue", models.CharField(max_length=16)),
                ("market", models.CharField(choices=[("spot", "Spot"), ("usdm", "USD-M futures")], max_length=8)),
                ("symbol", models.CharField(max_length=40)),
                ("base_asset", models.CharField(max_length=20)),
                ("quote_asset", models.CharField(max_length=20)),
                ("band_set", models.CharField(max_length=16)),
                ("is_followed", models.BooleanField(default=False)),
                ("followed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["venue", "market", "symbol"],
                "constraints": [
                    models.UniqueConstraint(fields=("venue", "market", "symbol"), name="instrument_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="TapeState",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="market.instrument",
                    ),
                ),
                ("last_id", models.BigIntegerField()),
                ("revision", models.IntegerField()),
                ("newest", models.BigIntegerField()),
                ("covered_from", models.BigIntegerField()),
                ("covered_to", models.BigIntegerField()),
                ("ticks", models.IntegerField()),
                ("sweep", models.CharField(blank=True, max_length=80)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Gap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("from_ms", models.BigIntegerField()),
                ("to_ms", models.BigIntegerField()),
                ("cause", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("filled", "Filled"), ("unfillable", "Unfillable")],
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="gaps",
                        to="market.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ["-first_id"],
                "constraints": [
                    models.UniqueConstraint(fields=("instrument", "first_id"), name="gap_key")
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(SECOND_BAR, "DROP TABLE market_second_bar CASCADE")
            ],
            state_operations=[
                migrations.CreateModel(
                    name="SecondBar",
                    fields=[],
                    options={"db_table": "market_second_bar", "managed": False},
                ),
            ],
        ),
    ]
