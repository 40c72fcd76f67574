"""History that is asked for by time: the newest window first, then back, then only what is new.
What was not read while the exchange still told of it is kept as a hole of the coverage."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from journal.models import Coverage
from journal.sync.run import OPENED_MS, Run
from lib.dates import from_ms, to_ms

DAY_MS = 86_400_000
# What is already known is asked for again for so long: a row may be told late.
OVERLAP_MS = 3_600_000
# (start ms, end ms) -> rows with a `time`; and what keeps them, telling how many were new
Ask = Callable[[int, int], Sequence[Any]]
Save = Callable[[Any], int]
MOST_WINDOWS = 2000
# the note of a coverage with holes
HOLE = "hole"
# [from ms, to ms]
Stretch = list[int]


def read_windows(
    run: Run,
    row: Coverage,
    days: int,
    ask: Ask,
    save: Save,
    *,
    floor_ms: int,
    overlap_ms: int = OVERLAP_MS,
) -> None:
    """Ask for everything from `floor_ms` to now, at most `days` at once; what a killed run has
    read stays read, since each window is remembered in the transaction that saves it."""
    width = days * DAY_MS
    if row.to_time is None or row.from_time is None:
        start = max(floor_ms, run.now_ms - width)
        read_window(row, ask, save, start, run.now_ms)
    else:
        known_to = to_ms(row.to_time)
        first = max(known_to - overlap_ms, OPENED_MS)
        if known_to < floor_ms:  # the exchange has forgotten what lies between
            row.holes = merged([*row.holes, [known_to, floor_ms]])
            row.note, first = HOLE, floor_ms
        for start, end in pieces(first, run.now_ms, width):
            read_window(row, ask, save, start, end)
        _mend(row, ask, save, floor_ms, width)
    assert row.from_time is not None
    for _ in range(MOST_WINDOWS):
        end = to_ms(row.from_time)
        if end <= floor_ms:
            break
        read_window(row, ask, save, max(floor_ms, end - width), end)
    if not row.is_complete:
        row.is_complete, row.again_at = True, run.now
        row.save(update_fields=["is_complete", "again_at"])


def windows_left(run: Run, row: Coverage, days: int, floor_ms: int) -> int:
    """How many requests it may take."""
    oldest = to_ms(row.from_time) if row.from_time else run.now_ms
    return 1 + max(0, -(-(oldest - floor_ms) // (days * DAY_MS)))


def pieces(start: int, end: int, width: int) -> Sequence[tuple[int, int]]:
    return [(at, min(at + width, end)) for at in range(start, end, width)]


def _mend(row: Coverage, ask: Ask, save: Save, floor_ms: int, width: int) -> None:
    """Holes, as far as the exchange tells of them (again)."""
    for hole_start, hole_end in list(row.holes):
        for start, end in pieces(max(hole_start, floor_ms), hole_end, width):
            read_window(row, ask, save, start, end)


def merged(stretches: Iterable[Sequence[int]]) -> list[Stretch]:
    """Oldest first, those that touch as one."""
    joined: list[Stretch] = []
    for start, end in sorted((first, last) for first, last in stretches):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        elif start < end:
            joined.append([start, end])
    return joined


def without(stretches: Iterable[Sequence[int]], start: int, end: int) -> list[Stretch]:
    """What is left of them when one stretch is known."""
    left = []
    for first, last in stretches:
        left += [[first, min(last, start)], [max(first, end), last]]
    return [stretch for stretch in left if stretch[0] < stretch[1]]


def read_window(row: Coverage, ask: Ask, save: Save, start_ms: int, end_ms: int) -> int:
    """Returns how many rows were not known."""
    rows = ask(start_ms, end_ms)
    start, end = from_ms(start_ms), from_ms(end_ms)
    with transaction.atomic():
        fresh = save(rows)
        row.rows += fresh
        row.holes = without(row.holes, start_ms, end_ms)
        row.note = row.note if row.holes or row.note != HOLE else ""
        row.from_time = min(row.from_time or start, start)
        row.to_time = max(row.to_time or end, end)
        if rows:
            oldest = min(item.time for item in rows)
            row.oldest = min(row.oldest or oldest, oldest)
        row.checked_at = timezone.now()
        row.save()
    return fresh
