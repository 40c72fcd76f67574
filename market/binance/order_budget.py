"""How many orders an account may still place: Binance counts unfilled orders an account and market
in fixed windows (ORDERS of exchangeInfo.rateLimits). The count is kept in Redis beside the weight,
and the answers' `X-MBX-ORDER-COUNT-*` true it up.
Source: binance-spot-api-docs rest-api.md "Unfilled order count", USD-M general info (2026-05).
"""

from collections.abc import Mapping

import redis.asyncio as redis

# market -> (seconds of the window, the header's interval, most)
WINDOWS: dict[str, tuple[tuple[int, str, int], ...]] = {
    "spot": ((10, "10S", 50), (86_400, "1D", 160_000)),
    "usdm": ((10, "10S", 300), (60, "1M", 1200)),
}

# KEYS: one prefix a window. ARGV: how many orders, then (seconds, most) a window. 0: taken, else
# the ms until the window that is full ends.
TAKE = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local wait = 0
for i, prefix in ipairs(KEYS) do
  local length = ARGV[2 * i] * 1000
  local used = tonumber(redis.call('GET', prefix .. math.floor(ms / length)) or '0')
  if used + ARGV[1] > tonumber(ARGV[2 * i + 1]) then
    wait = math.max(wait, length - ms % length)
  end
end
if wait > 0 then return wait end
for i, prefix in ipairs(KEYS) do
  local length = ARGV[2 * i] * 1000
  local key = prefix .. math.floor(ms / length)
  redis.call('INCRBY', key, ARGV[1])
  redis.call('PEXPIRE', key, length * 2)
end
return 0
"""
TRUE_UP = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local key = KEYS[1] .. math.floor(ms / (ARGV[1] * 1000))
if tonumber(ARGV[2]) > tonumber(redis.call('GET', key) or '0') then
  redis.call('SET', key, ARGV[2], 'PX', ARGV[1] * 2000)
end
return 0
"""


class OrderBudget:
    """Of one account; `venue` and `account` name it."""

    def __init__(self, client: redis.Redis, venue: str, account: str) -> None:
        self._head = f"tl:orders:{{{venue}:{account}}}"
        self._take = client.register_script(TAKE)
        self._true_up = client.register_script(TRUE_UP)

    async def take(self, market: str, count: int) -> float:
        """0 when `count` orders may be placed now (they are counted), else the seconds until the
        full window ends. Raises RedisError."""
        windows = WINDOWS[market]
        sizes = [part for seconds, _, most in windows for part in (seconds, most)]
        names = [self._prefix(market, interval) for _, interval, _ in windows]
        wait_ms = await self._take(keys=names, args=[count, *sizes])
        return int(wait_ms) / 1000

    async def true_up(self, market: str, headers: Mapping[str, str]) -> None:
        """Raises RedisError."""
        for seconds, interval, _ in WINDOWS[market]:
            used = headers.get(f"X-MBX-ORDER-COUNT-{interval}", "")
            if used.isdigit():
                name = self._prefix(market, interval)
                await self._true_up(keys=[name], args=[seconds, used])

    def _prefix(self, market: str, interval: str) -> str:
        return f"{self._head}:{market}:{interval}:"
