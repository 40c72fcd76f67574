"""Whether the exchange does not serve this machine just now."""

import time

import redis
import structlog

from market.binance.budgets import hosts
from market.binance.walls import wall_key
from market.hot.client import hot_client

log = structlog.get_logger(__name__)

# Every page asks: a process looks so often, in seconds.
LOOKS_EVERY = 5.0
_known = (0.0, False)


def stands() -> bool:
    """False while nobody can tell."""
    global _known
    looked_at, is_walled = _known
    if time.monotonic() - looked_at < LOOKS_EVERY:
        return is_walled
    try:
        keys = [wall_key(host) for part, host in hosts().items() if part != "data"]
        is_walled = bool(hot_client().exists(*keys))
    except redis.RedisError as error:
        log.warning("redis away, wall unknown", error=type(error).__name__)
        is_walled = False
    _known = time.monotonic(), is_walled
    return is_walled


def forget() -> None:
    """Redis is another one now."""
    global _known
    _known = (0.0, False)
