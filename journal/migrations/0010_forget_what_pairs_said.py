"""Results of the ledger by pairs: every row of these is made anew by the first rebuild."""

from django.db import migrations


def forget(apps, schema_editor):
    for name in ("Realized", "LedgerProblem", "OpenPosition"):
        apps.get_model("journal", name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("journal", "0009_movements_are_read_again")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop, elidable=True)]
