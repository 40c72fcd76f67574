"""All tables of the app at once, for an empty database: what 0001 to 0008 make step by step."""

from importlib import import_module

import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


append_only = import_module("accounts.migrations.0006_audit_append_only")


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_users'), ('accounts', '0002_exchange_accounts'), ('accounts', '0003_report_currency'), ('accounts', '0004_access'), ('accounts', '0005_chain_audit'), ('accounts', '0006_audit_append_only'), ('accounts', '0007_trading_key'), ('accounts', '0008_looked_at')]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('report_currency', models.CharField(choices=[('USD', 'US dollar'), ('EUR', 'Euro'), ('BTC', 'Bitcoin'), ('ETH', 'Ether'), ('BNB', 'BNB')], default='USD', max_length=3)),
                ('networks', models.JSONField(blank=True, default=list)),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='KeyEncryptionKey',
            fields=[
                ('id', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('primary', 'Primary'), ('enabled', 'Enabled'), ('disabled', 'Disabled'), ('destroyed', 'Destroyed')], max_length=9)),
                ('check_value', models.BinaryField(max_length=32)),
                ('wraps', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'primary')), fields=('state',), name='one_primary_key')],
            },
        ),
        migrations.CreateModel(
            name='AuditChain',
            fields=[
                ('owner_number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('length', models.BigIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('prefix', models.CharField(editable=False, max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ('expires_at', models.DateTimeField()),
                ('kek_id', models.PositiveIntegerField(default=0, editable=False)),
                ('key', models.BinaryField(default=b'')),
                ('key_kind', models.CharField(blank=True, choices=[('', '–'), ('hmac', 'HMAC-SHA256'), ('ed25519', 'Ed25519')], default='', max_length=7)),
                ('last_used_from', models.CharField(blank=True, editable=False, max_length=49)),
                ('name', models.CharField(blank=True, max_length=60)),
                ('networks', models.JSONField(blank=True, default=list)),
                ('scopes', models.JSONField(default=list)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ExchangeAccount',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('venue', models.CharField(max_length=16)),
                ('label', models.CharField(max_length=60)),
                ('key_kind', models.CharField(choices=[('hmac', 'HMAC'), ('rsa', 'RSA'), ('ed25519', 'Ed25519')], max_length=8)),
                ('api_key', models.BinaryField()),
                ('api_secret', models.BinaryField()),
                ('kek_id', models.PositiveIntegerField(editable=False)),
                ('api_key_hash', models.CharField(editable=False, max_length=64)),
                ('last_four', models.CharField(editable=False, max_length=4)),
                ('binance_uid', models.BigIntegerField(editable=False, null=True)),
                ('permissions', models.JSONField(default=dict, editable=False)),
                ('state', models.CharField(choices=[('new', 'New'), ('checking', 'Checking'), ('syncing', 'Syncing'), ('live', 'Live'), ('stale', 'Stale'), ('broken', 'Broken'), ('paused', 'Paused')], default='new', max_length=8)),
                ('problem', models.CharField(blank=True, max_length=24)),
                ('problem_detail', models.CharField(blank=True, max_length=300)),
                ('checks', models.JSONField(default=list, editable=False)),
                ('snapshot', models.JSONField(default=dict, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('checked_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exchange_accounts', to=settings.AUTH_USER_MODEL)),
                ('broken_since', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['created_at'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'api_key_hash'), name='api_key_once'), models.UniqueConstraint(fields=('venue', 'binance_uid'), name='binance_account_once')],
            },
        ),
        migrations.CreateModel(
            name='CredentialUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True)),
                ('subject', models.CharField(max_length=64)),
                ('why', models.CharField(blank=True, max_length=120)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credential_uses', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('done', models.PositiveIntegerField(default=0)),
                ('of', models.PositiveIntegerField(default=0)),
                ('file', models.CharField(blank=True, max_length=120)),
                ('asked_at', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='export', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('until', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('used_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-made_at'],
            },
        ),
        migrations.CreateModel(
            name='KeyHolder',
            fields=[
                ('name', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('key_ids', models.JSONField()),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('action', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=64)),
                ('why', models.CharField(blank=True, max_length=200)),
                ('actor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='audit_entries', to=settings.AUTH_USER_MODEL)),
                ('digest', models.CharField(max_length=64)),
                ('number', models.BigIntegerField()),
                ('previous', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'ordering': ['-at', '-number'],
                'constraints': [models.UniqueConstraint(fields=('owner', 'number'), name='one_row_a_link'), models.UniqueConstraint(condition=models.Q(('owner', None)), fields=('number',), name='one_server_row_a_link')],
            },
        ),
        migrations.RunSQL(append_only.APPEND_ONLY, append_only.UNDONE),
        migrations.CreateModel(
            name='TradingKey',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='trading_key', serialize=False, to='accounts.exchangeaccount')),
                ('key_kind', models.CharField(choices=[('hmac', 'HMAC'), ('rsa', 'RSA'), ('ed25519', 'Ed25519')], max_length=8)),
                ('api_key', models.BinaryField()),
                ('api_secret', models.BinaryField()),
                ('kek_id', models.PositiveIntegerField(editable=False)),
                ('api_key_hash', models.CharField(editable=False, max_length=64)),
                ('last_four', models.CharField(editable=False, max_length=4)),
                ('permissions', models.JSONField(default=dict, editable=False)),
                ('checked_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='exchangeaccount',
            name='looked_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
