"""Python's cyclic garbage collector, held off while a lot is made that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_off() -> Iterator[None]:
    """Hundreds of thousands of small objects that all stay would be walked again and again: that
    takes as long as making them. Reference counting goes on freeing everything else."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
