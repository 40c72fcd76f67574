"""One worker at a time: a lock in Redis with a token of its own, renewed by a thread while the work
lasts, and taken back only by who has it. Work that is longer than the lock keeps it; work that was
killed loses it within seconds."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import redis
import structlog

from market.hot.client import hot_client

log = structlog.get_logger(__name__)

HELD_SECONDS = 30.0
RENEWALS = 3
RENEW = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then "
    "return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end"
)
RELEASE = (
    "if redis.call('get', KEYS[1]) == ARGV[1] then "
    "return redis.call('del', KEYS[1]) else return 0 end"
)


class Lock:
    """Held until it is released or `is_lost`: long work asks between its steps."""

    def __init__(self, client: Any, name: str, seconds: float) -> None:
        self.name = name
        self._client = client
        self._key = f"tl:lock:{name}"
        self._token = uuid.uuid4().hex
        self._ms = int(seconds * 1000)
        self._lost = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lock {name}", daemon=True)

    @property
    def is_lost(self) -> bool:
        return self._lost.is_set()

    def acquire(self) -> bool:
        """Raises RedisError."""
        if not self._client.set(self._key, self._token, nx=True, px=self._ms):
            return False
        self._thread.start()
        return True

    def release(self) -> None:
        self._over.set()
        self._thread.join()
        try:
            self._client.eval(RELEASE, 1, self._key, self._token)
        except redis.RedisError as error:  # it ends by itself
            log.warning("lock not released", name=self.name, error=type(error).__name__)

    def _keep(self) -> None:
        confirmed = time.monotonic()
        while not self._over.wait(self._ms / 1000 / RENEWALS):
            sent_at = time.monotonic()
            try:
                is_ours = self._client.eval(RENEW, 1, self._key, self._token, self._ms) == 1
            except redis.RedisError:
                is_ours = sent_at - confirmed < self._ms / 1000  # nobody else can have it before
            else:
                confirmed = sent_at
            if not is_ours:
                log.warning("lock lost", name=self.name)
                self._lost.set()
                return


@contextlib.contextmanager
def held(name: str, seconds: float = HELD_SECONDS) -> Iterator[Lock | None]:
    """The lock, or None while another one has it or nobody can tell."""
    lock = Lock(hot_client(), name, seconds)
    try:
        is_held = lock.acquire()
    except redis.RedisError as error:
        log.warning("redis away, no lock", name=name, error=type(error).__name__)
        is_held = False
    if not is_held:
        yield None
        return
    try:
        yield lock
    finally:
        lock.release()
