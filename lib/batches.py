"""Many things, some at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """In their order; the last one may be smaller."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
