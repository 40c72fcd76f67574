"""Notes and pictures remember the fills of the trade that they were written on; every book is due,
so that the first round of the worker computes all of them by coins."""

from django.db import migrations
from django.db.models import F

MOST_FILLS = 100


def hang(apps, schema_editor):
    Trade = apps.get_model("journal", "Trade")
    TradeFill = apps.get_model("journal", "TradeFill")
    for name in ("Annotation", "Screenshot"):
        for row in apps.get_model("journal", name).objects.all().iterator():
            words = row.trade_key.split(":")
            if len(words) < 6:
                continue
            opening = f"{words[1]}:{words[2]}:{':'.join(words[5:]).partition('/')[0]}"
            trade = Trade.objects.filter(account__user=row.user_id, key=row.trade_key).first()
            parts = TradeFill.objects.filter(trade=trade).order_by("fill__time", "fill__trade_id")
            fills = parts.values_list("fill__symbol", "fill__trade_id")[:MOST_FILLS]
            refs = [f"{words[1]}:{symbol}:{number}" for symbol, number in fills]
            row.fills = [opening, *(ref for ref in refs if ref != opening)]
            row.save(update_fields=["fills"])


def make_due(apps, schema_editor):
    apps.get_model("journal", "Book").objects.update(version=F("version") + 1)


class Migration(migrations.Migration):
    dependencies = [("journal", "0011_the_coin_is_the_unit")]

    operations = [
        migrations.RunPython(hang, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(make_due, migrations.RunPython.noop, elidable=True),
    ]
