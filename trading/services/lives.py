"""Which life of the database a row was made in. A restored or promoted database is another one: the
cluster's identifier, its timeline, and the numbers that its objects got differ, so what was written
before is told apart without anybody having to say so."""

from django.db import connection

SQL = """
SELECT (SELECT system_identifier FROM pg_control_system())::text
       || '.' || (SELECT timeline_id FROM pg_control_checkpoint())::text
       || '.' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
       || '.' || 'trading_orderintent'::regclass::oid::text
"""


def now() -> str:
    with connection.cursor() as cursor:
        cursor.execute(SQL)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])
