"""Waiting for what another process or thread does. In an event loop: `eventually` in conftest."""

import time
from collections.abc import Callable

import pytest


def comes_true(claim: Callable[[], bool], seconds: float) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def until(claim: Callable[[], bool], seconds: float = 60.0, what: str = "the claim") -> None:
    """Wait until something becomes true; fails with what was awaited."""
    if not comes_true(claim, seconds):
        pytest.fail(f"not within {seconds} s: {what}")
