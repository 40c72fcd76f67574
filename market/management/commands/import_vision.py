"""Past trades from the exchange's archive (data.binance.vision), or from its files in a folder."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from market.collector.rebuild import NotYet
from market.vision.importing import import_days, import_folder
from market.vision.progress import Progress

BAR = 30


class Command(BaseCommand):
    help = (
        "Import past trades of SYMBOL into the same bars that are collected live. Run again it "
        "changes nothing; stopped, the same command goes on with the file that was at work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--from", dest="first", help="first UTC day, e.g. 2026-01-01")
        parser.add_argument("--to", dest="last", help="last UTC day, included (yesterday)")
        parser.add_argument("--market", choices=["spot", "usdm"], default="spot")
        parser.add_argument(
            "--kind", choices=["trades", "aggTrades"], help="trades; usdm aggTrades"
        )
        parser.add_argument("--dir", help="import files of this folder instead of downloading")

    def handle(self, *args: Any, **options: Any) -> None:
        self.shown = 0.0
        first, last = _day("--from", options["first"]), _day("--to", options["last"])
        wishes: dict[str, Any] = {
            "market": options["market"],
            "symbol": options["symbol"].upper(),
            "kind": options["kind"] or ("trades" if options["market"] == "spot" else "aggTrades"),
            "progress": (progress := Progress(self.tell)),
        }
        try:
            if options["dir"]:
                folder = Path(options["dir"])
                if not folder.is_dir():
                    raise CommandError(f"--dir: expected a folder, was {folder}")
                import_folder(**wishes, folder=folder, first=first, last=last)
            else:
                if first is None:
                    raise CommandError("expected --from with a UTC day, or --dir with a folder")
                last = last or datetime.now(UTC).date() - timedelta(days=1)
                if last < first:
                    raise CommandError(f"--to: expected {first} or later, was {last}")
                import_days(**wishes, first=first, last=last)
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        except (ValueError, OSError, NotYet) as error:
            raise CommandError(str(error)) from error
        except (redis.RedisError, DatabaseError) as error:
            raise CommandError(f"{error}; the same command goes on from here") from error
        finally:
            if sys.stderr.isatty():
                self.stderr.write("", ending="\n")
        self.report(progress)

    def tell(self, progress: Progress) -> None:
        """One line that moves in a terminal, a line a second elsewhere."""
        import_line = _line(progress)
        if sys.stderr.isatty():
            self.stderr.write(f"\r\033[K{import_line}", ending="")
            self.stderr.flush()
        elif progress.seconds - self.shown >= 1:
            self.shown = progress.seconds
            self.stderr.write(import_line)

    def report(self, progress: Progress) -> None:
        passed_over = len(progress.skipped) + len(progress.absent) + len(progress.damaged)
        self.stdout.write(
            f"{progress.files_done - passed_over} files, {progress.rows:,} rows, "
            f"{progress.bars_changed:,} bars new or fuller, {progress.rows_per_second:,} rows/s"
        )
        for note in progress.notes():
            self.stdout.write(note)
        if progress.damaged:
            raise CommandError("; ".join(progress.damaged))


def _day(name: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise CommandError(f"{name}: expected a day like 2026-01-31, was {text}") from error


def _line(progress: Progress) -> str:
    part = progress.part
    bar = "█" * int(part * BAR) + "·" * (BAR - int(part * BAR))
    left = progress.seconds_left
    eta = "" if left is None else f", {timedelta(seconds=round(left))} left"
    return (
        f"{bar} {part:4.0%} file {progress.files_done + 1}/{progress.files} {progress.name}: "
        f"{progress.rows:,} rows, {progress.rows_per_second:,}/s{eta}"
    )
