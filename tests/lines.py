"""Doing something right before the n-th line of some code: killing it, or writing between.

A run of the suite takes every third line, another third each time (pytest-randomly's seed says
which); with `EVERY_LINE=1` in the environment it takes them all.
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from django.db import connection

IS_THOROUGH = os.environ.get("EVERY_LINE") == "1"
STEP = 1 if IS_THOROUGH else 3


class Killed(BaseException):
    """As abrupt as kill -9 can be inside one process: nothing catches it."""


def kill() -> None:
    raise Killed


def run_traced(part: str, number: int, act: Callable[[], None], work: Callable[[], object]) -> int:
    """Run `work`; `act` before the `number`-th executed line of files whose path holds `part`.

    Returns how many such lines there were.
    """
    seen = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal seen
        if part not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen += 1
            if seen == number:
                act()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return seen


def hang_up(depth: int) -> None:
    """A process that dies takes its connection with it; killed on the line of a `with`, ours would
    stand in a transaction that nobody ends. `depth`: how many there were before the work."""
    if len(connection.atomic_blocks) > depth:
        assert depth == 0, "expected a test with transaction=True: its work is killed inside one"
        connection.close()
        connection.connect()


def count_lines(part: str, work: Callable[[], object]) -> int:
    """How many lines `run_traced` would count."""
    return run_traced(part, sys.maxsize, lambda: None, work)


def each_line(
    part: str, act: Callable[[], None], work: Callable[[], object], *, slowness: int = 1
) -> Iterator[int]:
    """Yields after each run, until the work has no more lines; at most 5000. Of slow work a run of
    the suite takes so much less."""
    step = STEP if IS_THOROUGH else STEP * slowness
    for number in range(1 + random.randrange(step), 5000, step):
        depth = len(connection.atomic_blocks)
        try:
            count = run_traced(part, number, act, work)
        except Killed:
            count = number
            hang_up(depth)
        if count < number:
            return
        yield number
    raise AssertionError("expected the work to end")
