from typing import Any

from django.db import migrations, models
from django.db.models import F


def pin_what_is_followed(apps: Any, schema_editor: Any) -> None:
    apps.get_model("market", "Instrument").objects.update(is_pinned=F("is_followed"))


class Migration(migrations.Migration):
    dependencies = [("market", "0006_listings")]

    operations = [
        migrations.AddField("instrument", "is_pinned", models.BooleanField(default=False)),
        migrations.RunPython(pin_what_is_followed, migrations.RunPython.noop, elidable=True),
    ]
