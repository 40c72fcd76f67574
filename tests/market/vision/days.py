"""Small files of a day, written line by line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command

from lib.dates import to_ms
from market.archive import seconds as archive
from market.flow.bars import Bar
from market.models import Instrument
from tests.market.vision import archives

DAY = datetime(2023, 10, 1, tzinfo=UTC)


def rows(day: int, first_id: int, count: int = 10, quantity: str = "2") -> list[str]:
    """A trade a minute, of 100, from the beginning of a day of October 2023 on."""
    start = to_ms(DAY + timedelta(days=day - 1))
    return [
        f"{first_id + n},100,{quantity},{200},{start + n * 60_000 + 500},True,True"
        for n in range(count)
    ]


def write(folder: Path, day: int, lines: list[str], **options: Any) -> Path:
    return archives.write(folder, f"BTCUSDT-trades-2023-10-{day:02}", lines, **options)


def run(folder: Path, *more: str) -> None:
    call_command("import_vision", "BTCUSDT", "--dir", str(folder), *more)


def stored() -> dict[int, Bar]:
    return archive.load(Instrument.objects.get().pk, 0, 2**33)
