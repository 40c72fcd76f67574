"""Doing something right before the n-th line of some code: killing it, or writing between."""

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Killed(BaseException):
    """As abrupt as kill -9 can be inside one process: nothing catches it."""


def kill() -> None:
    raise Killed


def run_traced(part: str, number: int, act: Callable[[], None], work: Callable[[], object]) -> bool:
    """Run `work`; `act` before the `number`-th executed line of files whose path holds `part`.

    Returns whether there was such a line.
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
    return seen >= number


def each_line(part: str, act: Callable[[], None], work: Callable[[], object]) -> Iterator[int]:
    """Yields after each run, until the work has no more lines; at most 5000."""
    for number in range(1, 5000):
        try:
            had_it = run_traced(part, number, act, work)
        except Killed:
            had_it = True
        if not had_it:
            return
        yield number
    raise AssertionError("expected the work to end")
