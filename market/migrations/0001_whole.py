"""All tables of the app at once, for an empty database: what 0001 to 0014 make step by step."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models


first = import_module("market.migrations.0001_market")
rolled_up = import_module("market.migrations.0003_rolled_up_bars")
from_archive = import_module("market.migrations.0010_from_archive")


class Migration(migrations.Migration):

    replaces = [('market', '0001_market'), ('market', '0002_audit_bans_workers'), ('market', '0003_rolled_up_bars'), ('market', '0004_history_and_retention'), ('market', '0005_importing'), ('market', '0006_listings'), ('market', '0007_pinned'), ('market', '0008_marks_and_funding'), ('market', '0009_pinned_at'), ('market', '0010_from_archive'), ('market', '0011_troubles'), ('market', '0012_listing_options'), ('market', '0013_past_bars'), ('market', '0014_backup_runs')]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='CollectorLease',
            fields=[
                ('share', models.CharField(max_length=80, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=120)),
                ('until', models.DateTimeField()),
                ('state', models.CharField(blank=True, max_length=20)),
            ],
        ),
        migrations.CreateModel(
            name='Instrument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('venue', models.CharField(max_length=16)),
                ('market', models.CharField(choices=[('spot', 'Spot'), ('usdm', 'USD-M futures')], max_length=8)),
                ('symbol', models.CharField(max_length=40)),
                ('base_asset', models.CharField(max_length=20)),
                ('quote_asset', models.CharField(max_length=20)),
                ('band_set', models.CharField(max_length=16)),
                ('is_followed', models.BooleanField(default=False)),
                ('followed_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['venue', 'market', 'symbol'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'market', 'symbol'), name='instrument_key')],
            },
        ),
        migrations.CreateModel(
            name='TapeState',
            fields=[
                ('instrument', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='market.instrument')),
                ('last_id', models.BigIntegerField()),
                ('revision', models.IntegerField()),
                ('newest', models.BigIntegerField()),
                ('covered_from', models.BigIntegerField()),
                ('covered_to', models.BigIntegerField()),
                ('ticks', models.IntegerField()),
                ('sweep', models.CharField(blank=True, max_length=80)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Gap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('from_ms', models.BigIntegerField()),
                ('to_ms', models.BigIntegerField()),
                ('cause', models.CharField(max_length=40)),
                ('state', models.CharField(choices=[('open', 'Open'), ('filled', 'Filled'), ('unfillable', 'Unfillable')], max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gaps', to='market.instrument')),
            ],
            options={
                'ordering': ['-first_id'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'first_id'), name='gap_key')],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(first.SECOND_BAR, "DROP TABLE market_second_bar CASCADE"),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='SecondBar',
                    fields=[
                    ],
                    options={
                        'db_table': 'market_second_bar',
                        'managed': False,
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='CollectorWorker',
            fields=[
                ('name', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ExchangeBan',
            fields=[
                ('host', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='instrument',
            name='since',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='MinuteAudit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('minute', models.DateTimeField()),
                ('state', models.CharField(choices=[('agrees', 'Agrees'), ('rebuilt', 'Rebuilt'), ('differs', 'Exchange differs')], max_length=8)),
                ('differences', models.CharField(blank=True, max_length=120)),
                ('audited_at', models.DateTimeField(auto_now=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='audits', to='market.instrument')),
            ],
            options={
                'ordering': ['-minute'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'minute'), name='audited_minute')],
            },
        ),
        migrations.CreateModel(
            name='ArchiveHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('version', models.BigIntegerField()),
                ('is_done', models.BooleanField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='archive_hours', to='market.instrument')),
            ],
            options={
                'ordering': ['-hour'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'hour'), name='archive_hour')],
                'indexes': [models.Index(condition=models.Q(('is_done', False)), fields=['instrument', 'hour'], name='archive_hours_due')],
            },
        ),
        migrations.RunSQL(rolled_up.MAKE, rolled_up.DROP),
        migrations.CreateModel(
            name='ArchiveFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('checksum', models.CharField(max_length=64)),
                ('rows', models.BigIntegerField()),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('imported_at', models.DateTimeField(auto_now=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='archive_files', to='market.instrument')),
            ],
            options={
                'ordering': ['instrument', 'name'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'name'), name='archive_file')],
            },
        ),
        migrations.CreateModel(
            name='CoveredSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('from_ms', models.BigIntegerField()),
                ('to_ms', models.BigIntegerField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='covered_spans', to='market.instrument')),
            ],
            options={
                'ordering': ['first_id'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'first_id'), name='covered_span')],
            },
        ),
        migrations.CreateModel(
            name='Retention',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('1s', '1 s'), ('1m', '1 m'), ('1h', '1 h'), ('1d', '1 d')], max_length=2)),
                ('days', models.PositiveIntegerField(blank=True, null=True)),
                ('instrument', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='retentions', to='market.instrument')),
            ],
            options={
                'ordering': ['instrument', 'grain'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'grain'), name='retention', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('days', None), ('days__gte', 2), _connector='OR'), name='retention_days')],
            },
        ),
        migrations.AddField(
            model_name='instrument',
            name='importing_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='Listing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('venue', models.CharField(max_length=16)),
                ('market', models.CharField(choices=[('spot', 'Spot'), ('usdm', 'USD-M futures')], max_length=8)),
                ('symbol', models.CharField(max_length=40)),
                ('base_asset', models.CharField(max_length=20)),
                ('quote_asset', models.CharField(max_length=20)),
                ('status', models.CharField(max_length=24)),
                ('tick_size', models.DecimalField(decimal_places=12, max_digits=28)),
                ('step_size', models.DecimalField(decimal_places=12, max_digits=28)),
                ('min_notional', models.DecimalField(decimal_places=12, max_digits=28)),
                ('filters', models.JSONField(default=list)),
                ('refreshed_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['market', 'symbol'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'market', 'symbol'), name='listing_once')],
            },
        ),
        migrations.AddField(
            model_name='instrument',
            name='is_pinned',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('market', models.CharField(choices=[('spot', 'Spot'), ('usdm', 'USD-M futures')], max_length=8)),
                ('symbol', models.CharField(max_length=40)),
                ('kind', models.CharField(max_length=10)),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('stopped', 'Stopped')], default='waiting', max_length=8)),
                ('is_to_stop', models.BooleanField(default=False)),
                ('files', models.IntegerField(default=0)),
                ('files_done', models.IntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
                ('rows_per_second', models.IntegerField(default=0)),
                ('note', models.TextField(blank=True)),
                ('asked_by', models.CharField(max_length=150)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='FundingRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('time', models.DateTimeField()),
                ('rate', models.DecimalField(decimal_places=8, max_digits=16)),
                ('mark', models.DecimalField(decimal_places=8, max_digits=28, null=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='funding', to='market.instrument')),
            ],
            options={
                'ordering': ['time'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'time'), name='funding_once')],
            },
        ),
        migrations.CreateModel(
            name='MarkPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('minute', models.DateTimeField()),
                ('mark', models.DecimalField(decimal_places=8, max_digits=28)),
                ('index', models.DecimalField(decimal_places=8, max_digits=28)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='market.instrument')),
            ],
            options={
                'ordering': ['minute'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'minute'), name='mark_once')],
            },
        ),
        migrations.AddField(
            model_name='instrument',
            name='pinned_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='archivehour',
            name='is_pruned',
            field=models.BooleanField(db_default=False),
        ),
        migrations.RunSQL(from_archive.ADD, from_archive.DROP),
        migrations.AddField(
            model_name='importjob',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='exchangeban',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=200),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name='Trouble',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('row', 'Unreadable row'), ('refused', 'Refused'), ('parked', 'Parked')], max_length=8)),
                ('key', models.CharField(blank=True, max_length=80)),
                ('text', models.TextField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='troubles', to='market.instrument')),
            ],
            options={
                'ordering': ['-updated_at'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'kind', 'key'), name='trouble_once')],
            },
        ),
        migrations.AddField(
            model_name='listing',
            name='options',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='instrument',
            name='charted_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='PastBar',
            fields=[
                ('open', models.DecimalField(decimal_places=8, max_digits=28)),
                ('high', models.DecimalField(decimal_places=8, max_digits=28)),
                ('low', models.DecimalField(decimal_places=8, max_digits=28)),
                ('close', models.DecimalField(decimal_places=8, max_digits=28)),
                ('trades', models.IntegerField()),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField()),
                ('base_buy', models.DecimalField(decimal_places=8, max_digits=38)),
                ('base_sell', models.DecimalField(decimal_places=8, max_digits=38)),
                ('quote_buy', models.DecimalField(decimal_places=16, max_digits=48)),
                ('quote_sell', models.DecimalField(decimal_places=16, max_digits=48)),
                ('delta_low', models.DecimalField(decimal_places=16, max_digits=48)),
                ('delta_high', models.DecimalField(decimal_places=16, max_digits=48)),
                ('bid', models.DecimalField(decimal_places=8, max_digits=28)),
                ('ask', models.DecimalField(decimal_places=8, max_digits=28)),
                ('trade_bands', models.TextField()),
                ('order_bands', models.TextField()),
                ('band_set', models.CharField(max_length=16)),
                ('pk', models.CompositePrimaryKey('instrument_id', 'grain', 'time', blank=True, editable=False, primary_key=True, serialize=False)),
                ('grain', models.IntegerField()),
                ('time', models.DateTimeField()),
                ('detail', models.SmallIntegerField()),
                ('revision', models.IntegerField()),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='market.instrument')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PastNews',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.BigIntegerField()),
                ('end', models.BigIntegerField()),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='news', to='market.instrument')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='PastSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.IntegerField()),
                ('detail', models.SmallIntegerField()),
                ('start', models.BigIntegerField()),
                ('end', models.BigIntegerField()),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='market.instrument')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('instrument', 'grain', 'detail', 'start'), name='past_span_once'), models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='past_span_forward')],
            },
        ),
        migrations.CreateModel(
            name='BackupRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('backup', 'Backup'), ('drill', 'Trial restore')], max_length=6)),
                ('state', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='running', max_length=7)),
                ('file', models.CharField(blank=True, max_length=80)),
                ('size_bytes', models.BigIntegerField(default=0)),
                ('tables', models.IntegerField(default=0)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('send_tried_at', models.DateTimeField(blank=True, null=True)),
                ('problem', models.TextField(blank=True)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-started_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state', 'running'), ('ended_at__isnull', False), _connector='OR'), name='backup_run_ended')],
            },
        ),
    ]
