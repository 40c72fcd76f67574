"""Django's own, but that a statement may take as long as a large table needs. What it locks in a
transaction is waited for no longer than before: who comes after it waits too. A migration without
one builds beside everybody, and waits until the last of their transactions has ended."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

LOCK_SECONDS = 30


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        self.connection: BaseDatabaseWrapper = connections[options["database"]]
        self._limit(f"SET statement_timeout = 0; SET lock_timeout = '{LOCK_SECONDS}s'")
        try:
            super().handle(*args, **options)
        finally:
            # a broken connection took them along, a broken transaction takes them back itself
            if self.connection.is_usable():
                self._limit("RESET statement_timeout; RESET lock_timeout")

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        if migration is not None and action in {"apply_start", "unapply_start"}:
            seconds = LOCK_SECONDS if migration.atomic else 0
            self._limit(f"SET lock_timeout = '{seconds}s'")
        super().migration_progress_callback(action, migration, fake)

    def _limit(self, statements: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statements)
