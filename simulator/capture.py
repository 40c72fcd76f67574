"""A recorded tape to play again: `<local time> <combined frame>` a line, gzip or plain."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.amounts import to_units

MINUTE_US = 60_000_000


class Recorded(NamedTuple):
    """One frame as it came: `at_us` after the first frame of the file."""

    at_us: int
    stream: str
    payload: dict[str, object]


def read(path: Path) -> Iterator[Recorded]:
    """Frames in file order; lines without a stream (REST bodies) are passed over.

    Raises ValueError with the line's number for a line that cannot be read.
    """
    first: int | None = None
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for number, line in enumerate(lines, 1):
            stamp, _, body = line.partition(" ")
            try:
                frame = json.loads(body)
                local = _microseconds(stamp.rstrip(":"))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: expected `<time> <frame>`") from error
            if not isinstance(frame, dict) or "stream" not in frame:
                continue
            first = local if first is None else first
            yield Recorded(max(0, local - first), frame["stream"], frame["data"])


def _microseconds(stamp: str) -> int:
    """Local time in ns, us, ms or s (with a fraction) -> us."""
    if "." in stamp:
        return int(float(stamp) * 1_000_000)
    value = int(stamp)
    for digits, factor in ((18, 1000), (15, 1)):
        if len(stamp) > digits:
            return value // factor if factor > 1 else value
    return value * 1000 if len(stamp) > 12 else value * 1_000_000


def trade_row(payload: dict[str, object], shift_us: int) -> tuple[int, int, int, bool]:
    """(price, quantity, time, is_buyer_maker) of a recorded `@trade`, moved by `shift_us`."""
    time = int(str(payload["T"]))
    micros = time if time >= 10**14 else time * 1000
    return (
        to_units(str(payload["p"])), to_units(str(payload["q"])), micros + shift_us,
        bool(payload["m"]),
    )  # fmt: skip


def shift_to(now_us: int, first_us: int) -> int:
    """Whole minutes that bring the recording's first trade to now, at most a minute behind it."""
    return (now_us - first_us) // MINUTE_US * MINUTE_US
