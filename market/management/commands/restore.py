"""A backup back into the database, while Tapelog is stopped."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.archive.backup import restore
from market.archive.programs import BackupError


class Command(BaseCommand):
    help = "Replace everything in the database by the backup FILE, and compare every row."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            answer = input("This replaces everything in the database. Type yes to go on: ")
            if answer.strip() != "yes":
                raise CommandError("nothing was changed")
        try:
            done = restore(Path(options["file"]))
        except BackupError as error:
            raise CommandError(str(error)) from error
        how = "every row is as it was backed up"
        if not done.is_compared:
            how = "nothing to compare them with, since FILE.json is not there"
        self.stdout.write(f"restored {len(done.tables)} tables; {how}")
