"""Seconds that somebody needs for good are kept apart before retention takes them."""

from collections.abc import Callable

from market.models import Instrument

# (tape, from, to in epoch s): keep what is needed of these times, which are about to go
Keep = Callable[[Instrument, int, int], int]
_keepers: list[Keep] = []


def register(keep_needed: Keep) -> None:
    """By whoever needs seconds, when its app is loaded: every process that may drop them knows."""
    if keep_needed not in _keepers:
        _keepers.append(keep_needed)


def keep(instrument: Instrument, start: int, end: int) -> int:
    """Returns how many stretches were kept."""
    return sum(keep_needed(instrument, start, end) for keep_needed in _keepers)
