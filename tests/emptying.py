"""The database emptied after a test that committed: only the tables that hold something, for most
tests fill a handful of a hundred and each TRUNCATE makes files anew."""

from functools import cache

from django.db import connection
from django.test import TransactionTestCase

# What a flush would make again from the code.
STAYS = {"django_content_type", "auth_permission", "django_migrations"}


@cache
def _which_are_full() -> str:
    """A query for the names of the tables that hold something."""
    names = set(connection.introspection.django_table_names(only_existing=True)) - STAYS
    return " UNION ALL ".join(
        f"SELECT '{quoted}' WHERE EXISTS (SELECT 1 FROM {quoted})"  # noqa: S608 - our own names
        for quoted in map(connection.ops.quote_name, sorted(names))
    )


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_which_are_full())
        names = [name for (name,) in cursor.fetchall()]
        if not names:
            return
        # neither the order of tables nor what may never be deleted matters here
        cursor.execute("SET session_replication_role = replica")
        try:
            for name in names:
                cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def _teardown(_case: TransactionTestCase) -> None:
    empty()


def install() -> None:
    TransactionTestCase._fixture_teardown = _teardown  # type: ignore[attr-defined]
