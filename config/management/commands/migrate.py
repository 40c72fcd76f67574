"""Django's own, but that a statement may take as long as a large table needs. What it locks is
waited for no longer than before: who comes after it waits too."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

LOCK_SECONDS = 30


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        with patient(options["database"]):
            super().handle(*args, **options)


@contextmanager
def patient(database: str) -> Iterator[None]:
    """The connection of this thread; afterwards it has its own limits again."""
    connection = connections[database]
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = 0; SET lock_timeout = '{LOCK_SECONDS}s'")
    try:
        yield
    finally:
        # a broken connection took them along, a broken transaction takes them back itself
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout; RESET lock_timeout")
