"""A file read, and what tests look at in it."""

from datetime import UTC, datetime

from journal.files.found import FoundFill, Reading
from journal.files.reading import read

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def take(text: str | bytes, name: str = "x.csv", **more: object) -> Reading:
    body = text.encode() if isinstance(text, str) else text
    return read(body, name, {}, NOW, **more)  # type: ignore[arg-type]


def brief(fill: FoundFill) -> tuple[object, ...]:
    return (
        f"{fill.place.at(None):%Y-%m-%d %H:%M:%S}",
        fill.symbol,
        fill.side,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_asset,
    )


def in_time(reading: Reading) -> list[FoundFill]:
    return sorted(reading.fills, key=lambda fill: (fill.place.at(None), fill.rank))


def reasons(reading: Reading) -> list[tuple[int, str]]:
    return [(left.line, left.fault.code) for left in reading.left_out]
