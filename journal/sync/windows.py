"""History that is asked for by time: the newest window first, then back, then only what is new."""

from collections.abc import Callable, Sequence
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
        _read(row, ask, save, start, run.now_ms)
    else:
        first = to_ms(row.to_time) - overlap_ms
        if to_ms(row.to_time) < floor_ms:  # the exchange has forgotten what lies between
            row.note, first = "hole", floor_ms
        for start, end in _pieces(max(first, OPENED_MS), run.now_ms, width):
            _read(row, ask, save, start, end)
    assert row.from_time is not None
    for _ in range(MOST_WINDOWS):
        end = to_ms(row.from_time)
        if end <= floor_ms:
            break
        _read(row, ask, save, max(floor_ms, end - width), end)
    if not row.is_complete:
        row.is_complete = True
        row.save(update_fields=["is_complete"])


def windows_left(run: Run, row: Coverage, days: int, floor_ms: int) -> int:
    """How many requests it may take."""
    oldest = to_ms(row.from_time) if row.from_time else run.now_ms
    return 1 + max(0, -(-(oldest - floor_ms) // (days * DAY_MS)))


def _pieces(start: int, end: int, width: int) -> Sequence[tuple[int, int]]:
    return [(at, min(at + width, end)) for at in range(start, end, width)]


def _read(row: Coverage, ask: Ask, save: Save, start_ms: int, end_ms: int) -> None:
    found = ask(start_ms, end_ms)
    start, end = from_ms(start_ms), from_ms(end_ms)
    with transaction.atomic():
        row.rows += save(found)
        row.from_time = min(row.from_time or start, start)
        row.to_time = max(row.to_time or end, end)
        if found:
            oldest = min(item.time for item in found)
            row.oldest = min(row.oldest or oldest, oldest)
        row.checked_at = timezone.now()
        row.save()
