"""A backup of the database while Tapelog runs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.archive.backup import BackupError, backup


class Command(BaseCommand):
    help = "Write the whole database to FILE, and the digest of each table's rows to FILE.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        if not path.parent.is_dir():
            raise CommandError(f"expected a folder that exists, was {path.parent}")
        if path.exists():
            raise CommandError(f"expected a new file, {path} exists")
        try:
            done = backup(path)
        except BackupError as error:
            raise CommandError(str(error)) from error
        size = path.stat().st_size / 1e6
        self.stdout.write(f"{path}: {len(done.tables)} tables, {size:.1f} MB")
        self.stdout.write("keep the key files (KEK_DIR) apart from it: they are not in the backup")
