"""How far an import is, and what is told of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


class Stopped(Exception):
    """Somebody asked to stop; what is in is in, and the same call goes on."""


@dataclass
class Progress:
    """How far an import is; `tell` hears of every change and may raise Stopped."""

    tell: Callable[["Progress"], None]
    files: int = 0
    files_done: int = 0
    name: str = ""
    # of the file at work
    bytes_done: int = 0
    bytes_total: int = 0
    # of all files
    rows: int = 0
    bars_changed: int = 0
    skipped: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    # days whose file is whole and has no row: nothing was traded
    quiet: list[str] = field(default_factory=list)
    # sentences of files that were passed over, and of months whose days were taken instead
    damaged: list[str] = field(default_factory=list)
    by_day: list[str] = field(default_factory=list)
    # file -> its aggregates without a price or quantity, which count nowhere
    zeros: dict[str, int] = field(default_factory=dict)
    differing: list[datetime] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def has_taken_one(self) -> bool:
        """A file is in that was not before."""
        return self.files_done > len(self.skipped) + len(self.absent) + len(self.damaged)

    @property
    def rows_per_second(self) -> int:
        return int(self.rows / max(self.seconds, 0.001))

    @property
    def part(self) -> float:
        """Done of all, 0 to 1; files count alike."""
        of_file = min(self.bytes_done / self.bytes_total, 1) if self.bytes_total else 0
        return min((self.files_done + of_file) / max(self.files, 1), 1)

    @property
    def seconds_left(self) -> float | None:
        return self.seconds * (1 / self.part - 1) if self.part > 0.001 else None

    def now(self) -> None:
        self.tell(self)

    def notes(self) -> list[str]:
        """What somebody has to know of it in the end."""
        notes = [f"{len(self.skipped)} files were in already"] if self.skipped else []
        notes += [f"{sentence}; its days were taken instead" for sentence in self.by_day]
        notes += [f"the archive does not have {name}" for name in self.absent]
        notes += [f"{name} has no rows: nothing was traded" for name in self.quiet]
        notes += [
            f"{name}: {count:,} aggregates without a price or quantity, so its sums may be too "
            "small"
            for name, count in self.zeros.items()
        ]
        if self.differing:
            notes.append(
                f"{len(self.differing)} seconds differ from what was collected of the same ids, "
                f"first {self.differing[0]:%F %T} UTC; they stay as collected"
            )
        return notes
