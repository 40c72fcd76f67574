"""Flow for every fill: what it was made of, what is to come, and when to look again."""

import django.db.models.functions.datetime
import journal.models.trades
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_report_currency'),
        ('journal', '0016_books_at_any_size'),
    ]

    operations = [
        migrations.CreateModel(
            name='FlowDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('venue', models.CharField(max_length=16)),
                ('market', models.CharField(choices=[('spot', 'Spot'), ('usdm', 'USD-M futures')], max_length=8)),
                ('symbol', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('state', models.CharField(choices=[('done', 'Done'), ('refused', 'Refused')], max_length=7)),
                ('source', models.CharField(blank=True, max_length=10)),
                ('note', models.TextField(blank=True)),
                ('weight', models.IntegerField(default=0)),
                ('size', models.BigIntegerField(default=0)),
                ('fills', models.IntegerField(default=0)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-day'],
            },
        ),
        # so that the way back has something to put there
        migrations.AlterField("fillflow", "is_covered", models.BooleanField(default=True)),
        migrations.RemoveField(
            model_name='fillflow',
            name='is_covered',
        ),
        migrations.RemoveField(
            model_name='fillflow',
            name='is_final',
        ),
        migrations.RemoveField(
            model_name='trade',
            name='is_stamp_final',
        ),
        migrations.RemoveField(
            model_name='trade',
            name='stamped_at',
        ),
        migrations.AddField(
            model_name='fill',
            name='flow_due_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='again_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='basis',
            field=models.CharField(blank=True, choices=[('trades', 'Single trades'), ('aggregates', 'Aggregates'), ('candles_1s', 'Candles of 1 s'), ('candles_1m', 'Candles of 1 m')], max_length=10),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='refused',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='stage',
            field=models.CharField(choices=[('total', 'Candles of 1 m'), ('seconds', 'Candles of 1 s'), ('bands', 'By size'), ('done', 'Done')], default='total', max_length=7),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='why',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='fillflow',
            name='window',
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name='trade',
            name='best_to',
            field=journal.models.trades.Money(decimal_places=18, max_digits=44, null=True),
        ),
        migrations.AddField(
            model_name='trade',
            name='flow_basis',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='trade',
            name='flow_window',
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name='trade',
            name='stamp_due_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True),
        ),
        migrations.AddField(
            model_name='trade',
            name='worst_to',
            field=journal.models.trades.Money(decimal_places=18, max_digits=44, null=True),
        ),
        migrations.AlterField(
            model_name='trade',
            name='flow',
            field=models.CharField(choices=[('with', 'With flow'), ('mixed', 'Mixed'), ('against', 'Against flow'), ('unknown', 'Not known yet')], default='unknown', max_length=8),
        ),
        migrations.AddIndex(
            model_name='fill',
            index=models.Index(fields=['market', 'symbol', 'time'], name='fills_of_a_tape'),
        ),
        migrations.AddIndex(
            model_name='fill',
            index=models.Index(condition=models.Q(('flow_due_at__isnull', False)), fields=['flow_due_at'], name='fills_to_stamp'),
        ),
        migrations.AddIndex(
            model_name='fillflow',
            index=models.Index(condition=models.Q(('stage', 'done'), _negated=True), fields=['stage', 'again_at'], name='flows_to_come'),
        ),
        migrations.AddIndex(
            model_name='trade',
            index=models.Index(fields=['market', 'symbol', 'opened_at'], name='trades_of_a_tape'),
        ),
        migrations.AddIndex(
            model_name='trade',
            index=models.Index(condition=models.Q(('stamp_due_at__isnull', False)), fields=['stamp_due_at'], name='trades_to_stamp'),
        ),
        migrations.AddConstraint(
            model_name='flowday',
            constraint=models.UniqueConstraint(fields=('venue', 'market', 'symbol', 'day'), name='flow_day_once'),
        ),
    ]
