from decimal import Decimal

import django.core.validators
from django.db import migrations

import journal.models.trades


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0023_heard_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='preferences',
            name='usual_risk',
            field=journal.models.trades.Money(
                blank=True,
                decimal_places=2,
                max_digits=44,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal('0.01'))],
            ),
        ),
    ]
