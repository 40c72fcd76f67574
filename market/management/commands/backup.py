"""A backup of the database while Tapelog runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.archive.backup import Backup, backup
from market.archive.programs import BackupError
from market.services import backing_up


class Command(BaseCommand):
    help = (
        "Write the whole database to FILE, and the digest of each table's rows to FILE.json. "
        "Without FILE: as the schedule does it, into BACKUP_DIR under the time's name, where the "
        "newest --keep stay, and away by BACKUP_COMMAND."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?")
        parser.add_argument("--keep", type=int, default=settings.BACKUP_KEEP)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["keep"] < 1:
            raise CommandError(f"--keep: expected 1 or more, was {options['keep']}")
        try:
            done = self._named(Path(options["file"])) if options["file"] else self._kept(options)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        size = done.path.stat().st_size / 1e6
        self.stdout.write(f"{done.path}: {len(done.tables)} tables, {size:.1f} MB")
        self.stdout.write("keep the key files (KEK_DIR) apart from it: they are not in the backup")

    def _named(self, path: Path) -> Backup:
        if not path.parent.is_dir():
            raise CommandError(f"expected a folder that exists, was {path.parent}")
        if path.exists():
            raise CommandError(f"expected a new file, {path} exists")
        return backup(path)

    def _kept(self, options: dict[str, Any]) -> Backup:
        done, gone = backing_up.back_up(options["keep"])
        if gone:
            self.stdout.write(f"removed {len(gone)} older: {', '.join(gone)}")
        return done
