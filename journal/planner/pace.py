"""How fast the planner gets on, for an estimate of when it is through."""

from django.core.cache import cache

KEPT_SECONDS = 3600
# The newest batch counts a third.
NEW = 1 / 3


def note(market: str, stage: str, fills: int, seconds: float) -> None:
    key = f"planner:pace:{market}:{stage}"
    before = cache.get(key)
    now = seconds / max(fills, 1)
    cache.set(key, now if before is None else before * (1 - NEW) + now * NEW, KEPT_SECONDS)


def seconds_a_fill(market: str, stage: str, guess: float) -> float:
    """As it went lately, else a guess."""
    seconds = cache.get(f"planner:pace:{market}:{stage}")
    return guess if seconds is None else float(seconds)
