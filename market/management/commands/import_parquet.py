"""Bars that retention took out of PostgreSQL, back from their Parquet files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.archive import parquet


class Command(BaseCommand):
    help = "Import Parquet files of bars, or all of a folder; run again it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", help="files or folders below ARCHIVE_DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        files = [file for path in options["paths"] for file in _files(Path(path))]
        for number, file in enumerate(files, 1):
            try:
                changed = parquet.load(file)
            except parquet.NotBars as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{number}/{len(files)} {file.name}: {changed:,} bars")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(path.rglob("*.parquet"))
        if not files:
            raise CommandError(f"{path}: expected Parquet files in this folder, found none")
        return files
    if not path.is_file():
        raise CommandError(f"{path}: expected a file or a folder")
    return [path]
