"""How many sockets there are, by user and by address, over all web processes.

Each process counts its own and keeps them in Redis for the others: a hash that goes when the
process has been silent for a while, so a killed one holds nobody's place for long. Without Redis
each process limits its own.
"""

import asyncio
import contextlib
import uuid
from collections import Counter
from typing import Any, ClassVar

import redis.asyncio as redis
from django.conf import settings

PROCESSES = "tl:live:processes"
PROCESS = uuid.uuid4().hex
SILENT_SECONDS = 10
BEAT_SECONDS = 3.0
SOON_SECONDS = 0.05

# KEYS: the set of processes. ARGV: this process, seconds it lives, then triples of field, limit and
# what this process holds of it, the new one included. Returns 0 and counts, or the number of the
# first field that has too many.
ENTER = """
local mine = KEYS[1] .. ':' .. ARGV[1]
redis.call('SADD', KEYS[1], ARGV[1])
for at = 3, #ARGV, 3 do
  local held = tonumber(ARGV[at + 2])
  for _, process in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local hash = KEYS[1] .. ':' .. process
    if process ~= ARGV[1] then
      held = held + (tonumber(redis.call('HGET', hash, ARGV[at])) or 0)
      if redis.call('EXISTS', hash) == 0 then redis.call('SREM', KEYS[1], process) end
    end
  end
  if held > tonumber(ARGV[at + 1]) then return at / 3 end
end
for at = 3, #ARGV, 3 do redis.call('HSET', mine, ARGV[at], ARGV[at + 2]) end
redis.call('EXPIRE', mine, ARGV[2])
return 0
"""

# What this process holds; `all` is their number.
_held: Counter[str] = Counter()


async def enter(user_id: int, ip: str) -> str | None:
    """Count a socket in; a sentence when there are too many."""
    user, address = f"u:{user_id}", f"ip:{ip}"
    if _held["all"] >= settings.LIVE_SOCKETS_PER_PROCESS:
        return "this server holds too many sockets"
    _held.update(["all", user, address])  # at once: others may enter while Redis answers
    limits = {user: settings.LIVE_SOCKETS_PER_USER, address: settings.LIVE_SOCKETS_PER_IP}
    try:
        full = await _Teller.here().enter(limits)
    except asyncio.CancelledError:
        await leave(user_id, ip)
        raise
    except (redis.RedisError, OSError, TimeoutError):
        full = next((n for n, f in enumerate(limits, 1) if _held[f] > limits[f]), 0)
    if full:
        await leave(user_id, ip)
    return (None, "too many sockets of this user", "too many sockets from this address")[full]


async def leave(user_id: int, ip: str) -> None:
    for field in ("all", f"u:{user_id}", f"ip:{ip}"):
        _held[field] -= 1
        if not _held[field]:
            del _held[field]
    with contextlib.suppress(redis.RedisError, OSError, TimeoutError):
        await _Teller.here().left()


class _Teller:
    """Keeps this process's counts in Redis while it holds a socket; one an event loop."""

    _tellers: ClassVar[dict[asyncio.AbstractEventLoop, "_Teller"]] = {}

    def __init__(self) -> None:
        self.client: redis.Redis | None = None
        self.task: asyncio.Task[None] | None = None
        self.wake = asyncio.Event()

    @classmethod
    def here(cls) -> "_Teller":
        loop = asyncio.get_running_loop()
        for other in [known for known in cls._tellers if known.is_closed()]:
            del cls._tellers[other]
        return cls._tellers.setdefault(loop, cls())

    async def enter(self, limits: dict[str, int]) -> int:
        if self.client is None:
            self.client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
            )
            self.wake = asyncio.Event()
            self.task = asyncio.create_task(self._tell_while_used(self.client, self.wake))
        words = [word for field in limits for word in (field, limits[field], _held[field])]
        async with asyncio.timeout(2):
            answer: Any = self.client.eval(ENTER, 1, PROCESSES, PROCESS, SILENT_SECONDS, *words)
            return int(await answer)

    async def left(self) -> None:
        """Told soon, many at once; after the last socket the client is closed before this ends."""
        self.wake.set()
        task = self.task
        if not _held and task is not None:
            self.client = self.task = None
            await asyncio.wait({task}, timeout=2)

    async def _tell_while_used(self, client: redis.Redis, wake: asyncio.Event) -> None:
        try:
            while True:
                wake.clear()
                with contextlib.suppress(redis.RedisError, OSError):
                    await self._tell(client)
                if self.client is not client:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_SECONDS):
                        await wake.wait()
                await asyncio.sleep(SOON_SECONDS)
        finally:
            await client.aclose()

    async def _tell(self, client: redis.Redis) -> None:
        """What this process holds, as a whole, so that no error stays."""
        key = f"{PROCESSES}:{PROCESS}"
        async with client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if _held:
                pipe.sadd(PROCESSES, PROCESS)
                pipe.hset(key, mapping={field: str(count) for field, count in _held.items()})
                pipe.expire(key, SILENT_SECONDS)
            else:
                pipe.srem(PROCESSES, PROCESS)
            await pipe.execute()
