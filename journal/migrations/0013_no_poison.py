"""Rows that no exchange can have told, from before there was a validator: they stopped books. What
was uploaded and not taken in is forgotten."""

from django.db import migrations
from django.db.models import Q


def forget(apps, schema_editor):
    fills = apps.get_model("journal", "Fill").objects
    fills.filter(
        Q(quantity__lte=0)
        | Q(price__lt=0)
        | ~Q(side__in=["BUY", "SELL"])
        | ~Q(position_side__in=["BOTH", "LONG", "SHORT"])
    ).delete()
    apps.get_model("journal", "Upload").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0012_notes_hang_on_fills"),
    ]

    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop, elidable=True),
    ]
