from typing import Any

from django.db import migrations, models
from django.db.models import F


def until_now_all_was_pinned(apps: Any, schema_editor: Any) -> None:
    apps.get_model("market", "Instrument").objects.update(pinned_at=F("followed_at"))


class Migration(migrations.Migration):
    dependencies = [("market", "0008_marks_and_funding")]

    operations = [
        migrations.AddField("instrument", "pinned_at", models.DateTimeField(null=True)),
        migrations.RunPython(until_now_all_was_pinned, migrations.RunPython.noop, elidable=True),
    ]
