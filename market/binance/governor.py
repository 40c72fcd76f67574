"""One limiter for all REST calls of this IP, in Redis, shared by every process.

Binance counts request weight an IP in fixed calendar minutes (6000 on spot in 2026) and answers
429, then 418 with a ban that grows. A call first reserves its weight, atomically; the header of the
answer trues the count up; a ban is a key that everybody checks in the same script.
Source: binance-spot-api-docs rest-api.md "LIMITS".
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import redis.asyncio as redis

from market.binance.errors import MustWait
from market.binance.walls import wall_key

# Shares of the budget by class of call: who matters more may use more of it.
SHARES = {
    "order": 1.0,
    "live": 1.0,
    "account": 0.7,
    "file": 1.0,
    # what somebody looks at and waits for
    "chart": 0.6,
    "candles": 0.35,
    "backfill": 0.5,
    "check": 0.5,
    "past": 0.4,
    "audit": 0.25,
}
# What a class has for itself, however much the others ask for: an order or a cancel goes out, quiet
# markets are checked and minutes audited while a long gap is filled, fills get their candles while
# an account's history is read.
FLOORS = {"order": 0.05, "check": 0.1, "candles": 0.1, "audit": 0.05}
# What is too heavy to be had by chance (a file of futures history is half a minute's weight): while
# there is no room for it, it books its place in the next minute. The others leave that free, and a
# tenth of the budget more for what ignores bookings and what the exchange counts beside us.
BOOKS = frozenset({"file"})
# Nobody's booking holds these up.
URGENT = frozenset({"order", "live"})
SHORTEST_BAN_SECONDS = 120.0

# KEYS: ban, total of this minute (prefix). ARGV: weight, how far the total may go for this class,
# the whole budget, then the class and its floor, what it does about bookings (books, yields,
# ignores), and class and floor of every other class that has one.
RESERVE = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local banned = tonumber(redis.call('GET', KEYS[1]) or '0')
if banned > ms then return banned - ms end
local minute = math.floor(ms / 60000)
local key = KEYS[2] .. minute
local kinds = key .. ':kinds'
local weight, used = tonumber(ARGV[1]), tonumber(redis.call('GET', key) or '0')
local own = tonumber(redis.call('HGET', kinds, ARGV[4]) or '0')
local booked_key = key .. ':booked'
local kept = 0
if ARGV[6] == 'yields' then kept = tonumber(redis.call('GET', booked_key) or '0') end
for i = 7, #ARGV, 2 do
  local had = tonumber(redis.call('HGET', kinds, ARGV[i]) or '0')
  kept = kept + math.max(0, ARGV[i + 1] - had)
end
local is_in_share = used + weight <= tonumber(ARGV[2]) or own + weight <= tonumber(ARGV[5])
if not is_in_share or used + weight + kept > tonumber(ARGV[3]) then
  if ARGV[6] == 'books' then
    local booked = math.floor(ARGV[1] + ARGV[3] / 10)
    redis.call('SET', KEYS[2] .. (minute + 1) .. ':booked', booked, 'PX', 180000)
  end
  return 60000 - ms % 60000 + 50
end
if ARGV[6] == 'books' then redis.call('DEL', booked_key) end
redis.call('INCRBY', key, ARGV[1])
redis.call('PEXPIRE', key, 120000)
redis.call('HINCRBY', kinds, ARGV[4], ARGV[1])
redis.call('PEXPIRE', kinds, 120000)
return 0
"""
TRUE_UP = """
local now = redis.call('TIME')
local key = KEYS[1] .. math.floor(now[1] / 60)
local used = tonumber(redis.call('GET', key) or '0')
if tonumber(ARGV[1]) > used then redis.call('SET', key, ARGV[1], 'PX', 120000) end
return used
"""


FORBID = """
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


def ban_key(host: str) -> str:
    return f"tl:governor:{{{host}}}:ban"


def count_key(host: str) -> str:
    return f"tl:governor:{{{host}}}:weight:"


def clock_key(host: str) -> str:
    return f"tl:governor:{{{host}}}:clock"


@dataclass(frozen=True)
class Limit:
    """`host` names the budget (spot and futures have their own)."""

    host: str
    weight_per_minute: int


class Governor:
    def __init__(self, client: redis.Redis, limit: Limit, budget_pct: int) -> None:
        self.limit = limit
        self.budget = limit.weight_per_minute * budget_pct // 100
        self._client = client
        self._ban_key, self._count_key = ban_key(limit.host), count_key(limit.host)
        self._clock_key = clock_key(limit.host)
        # called with a ban's seconds and reason, to keep it where a wiped Redis does not matter
        self.on_ban: Callable[[float, str], Awaitable[None]] | None = None
        self._banned_until = 0.0
        self._reserve = client.register_script(RESERVE)
        self._true_up = client.register_script(TRUE_UP)
        self._forbid = client.register_script(FORBID)

    async def reserve(self, weight: int, kind: str, patience: float) -> None:
        """Take `weight` from this minute, waiting up to `patience` seconds for the next one.

        Raises MustWait when the wait would be longer, or during a ban.
        """
        left = self._banned_until - time.monotonic()
        if left > 0:
            raise MustWait(left, f"banned for {left:.0f} s")
        deadline = time.monotonic() + patience
        limits: list[int | str] = [
            weight,
            int(self.budget * SHARES[kind]),
            self.budget,
            kind,
            int(self.budget * FLOORS.get(kind, 0.0)),
            "books" if kind in BOOKS else "ignores" if kind in URGENT else "yields",
        ]
        for other, floor in FLOORS.items():
            limits += [] if other == kind else [other, int(self.budget * floor)]
        while True:
            wait_ms = await self._reserve(keys=[self._ban_key, self._count_key], args=limits)
            if not wait_ms:
                return
            seconds = int(wait_ms) / 1000
            if time.monotonic() + seconds > deadline:
                raise MustWait(seconds, f"no weight left for {seconds:.0f} s ({kind})")
            await asyncio.sleep(seconds)

    async def true_up(self, used: int) -> None:
        """Binance's own count of this minute, from `X-MBX-USED-WEIGHT-1M`."""
        await self._true_up(keys=[self._count_key], args=[used])

    async def ban(self, seconds: float, reason: str = "") -> None:
        """Nobody calls for so long."""
        self._banned_until = max(self._banned_until, time.monotonic() + seconds)
        try:
            await self.forbid(seconds)  # the others first
        finally:
            if self.on_ban is not None:
                await self.on_ban(seconds, reason)

    async def forbid(self, seconds: float) -> None:
        """Tell the other processes of a ban; a longer one stays."""
        until = int((time.time() + seconds) * 1000)
        await self._forbid(keys=[self._ban_key], args=[until, int(seconds * 1000) + 1000])

    async def wall(self, seconds: float, reason: str) -> None:
        """A ban that is no matter of weight: who can goes elsewhere meanwhile."""
        await self._client.set(wall_key(self.limit.host), reason, px=int(seconds * 1000) + 1000)
        await self.ban(seconds, reason)

    async def is_walled(self) -> bool:
        return bool(await self._client.exists(wall_key(self.limit.host)))

    async def keep_clock(self, offset_ms: float) -> None:
        """The exchange's clock minus ours, for whoever signs requests or shows it."""
        await self._client.set(self._clock_key, round(offset_ms), ex=3600)


def ban_seconds(status: int, retry_after: str | None, message: str) -> float:
    """How long 429 or 418 asks us to be silent: the header, or the time inside error -1003."""
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    if until := re.search(r"until (\d{13})", message):
        seconds = max(seconds, int(until.group(1)) / 1000 - time.time())
    if seconds:
        return seconds
    # some answers say 0 or nothing: the shortest ban there is, or the rest of the minute
    return SHORTEST_BAN_SECONDS if status == 418 else 60 - time.time() % 60
