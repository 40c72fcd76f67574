"""A note whose rules nobody has ticked says nothing of them: until now that looked like all of them
broken, so it is taken as not said."""

from typing import Any

from django.db import migrations, models


def take_back(apps: Any, schema_editor: Any) -> None:
    apps.get_model("journal", "Annotation").objects.filter(rules_kept=[]).update(rules_kept=None)


def say_none(apps: Any, schema_editor: Any) -> None:
    apps.get_model("journal", "Annotation").objects.filter(rules_kept__isnull=True).update(
        rules_kept=[]
    )


class Migration(migrations.Migration):
    dependencies = [("journal", "0021_what_insight_keeps")]

    operations = [
        migrations.AlterField(
            model_name="annotation", name="rules_kept", field=models.JSONField(null=True)
        ),
        migrations.RunPython(take_back, say_none, elidable=True),
    ]
