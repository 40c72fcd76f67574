"""What was stamped from whole tapes stands as it is."""

from django.db import migrations

STAND = """
UPDATE journal_fillflow AS flow
SET basis = CASE fill.market WHEN 'usdm' THEN 'aggregates' ELSE 'trades' END,
    "window" = '1m', stage = 'done'
FROM journal_fill AS fill WHERE fill.id = flow.fill_id AND flow.basis = '';
UPDATE journal_fill AS fill SET flow_due_at = NULL
FROM journal_fillflow AS flow WHERE flow.fill_id = fill.id AND flow.stage = 'done';
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0017_flow_for_every_fill")]

    operations = [migrations.RunSQL(STAND, migrations.RunSQL.noop, elidable=True)]
