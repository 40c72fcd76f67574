from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('market', '0013_past_bars'),
    ]

    operations = [
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
