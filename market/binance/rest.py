"""The one door to Binance's REST: python-binance's AsyncClient as transport, behind the governor.

What the client lacks is here: our own addresses, microseconds, a time limit, the headers of the
call's own answer, and errors split by what the caller does.
"""

import time
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp
import msgspec
import redis.asyncio as redis
from binance.async_client import AsyncClient

from market.binance.breaker import Breaker
from market.binance.errors import MustWait, Refused, TryAgain
from market.binance.frames import (
    as_kline_without_ids,
    as_trade,
    decode_error,
    decode_first_ids,
    decode_kline_rows,
    decode_server_time,
    decode_trade_rows,
)
from market.binance.governor import Governor, ban_seconds
from market.flow.klines import Kline
from market.flow.trades import Trade

TIMEOUT_SECONDS = 10.0
# Binance's own weights, 2026 (reference: binance-spot-api-docs rest-api.md)
WEIGHTS = {"trades": 25, "historicalTrades": 25, "aggTrades": 4, "klines": 2, "time": 1}
PAGE = 1000


class Transport(AsyncClient):  # type: ignore[misc]
    """AsyncClient with our address that hands out status, headers and body as they came."""

    def __init__(self, base_url: str) -> None:
        self.API_URL = f"{base_url}/api"
        self.API_TESTNET_URL = self.API_URL
        super().__init__(
            time_unit="MICROSECOND",
            session_params={"timeout": aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)},
        )

    async def _handle_response(
        self, response: aiohttp.ClientResponse
    ) -> tuple[int, Mapping[str, str], bytes]:
        return response.status, response.headers, await response.read()


class SpotRest:
    """Public spot market data. Every method raises TryAgain, MustWait or Refused."""

    def __init__(self, base_url: str, governor: Governor) -> None:
        self.governor = governor
        self._base_url = base_url
        self._transport: Transport | None = None
        self._breaker = Breaker()

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close_connection()
            self._transport = None

    async def newest_trades(self, symbol: str, kind: str = "live") -> list[Trade]:
        """The newest trades, at most 1000, oldest first; from memory, so they are fresh."""
        body = await self._get("trades", {"symbol": symbol, "limit": PAGE}, kind)
        return _trades(body)

    async def trades_from(self, symbol: str, first_id: int, kind: str = "live") -> list[Trade]:
        """At most 1000 trades from `first_id` on, oldest first; from a database, so they lag."""
        body = await self._get(
            "historicalTrades", {"symbol": symbol, "fromId": first_id, "limit": PAGE}, kind
        )
        return _trades(body)

    async def klines(self, symbol: str, start_ms: int, end_ms: int) -> list[Kline]:
        """Minutes that open within start <= t <= end, at most 1000, oldest first; no ids (-1)."""
        body = await self._get(
            "klines",
            {"symbol": symbol, "interval": "1m", "startTime": start_ms, "endTime": end_ms,
             "limit": PAGE},
            "audit",
        )  # fmt: skip
        try:
            return [as_kline_without_ids(row) for row in decode_kline_rows(body)]
        except (msgspec.DecodeError, ValueError) as error:
            raise TryAgain(f"expected rows of klines, was {body[:80]!r}") from error

    async def first_id_since(self, symbol: str, start_ms: int) -> int | None:
        """The id of the first trade at or after a moment; None when none happened since."""
        body = await self._get(
            "aggTrades", {"symbol": symbol, "startTime": start_ms, "limit": 1}, "backfill"
        )
        try:
            rows = decode_first_ids(body)
        except msgspec.DecodeError as error:
            raise TryAgain(f"expected rows of aggregates, was {body[:80]!r}") from error
        return rows[0].first_id if rows else None

    async def measure_clock(self) -> float:
        """The exchange's clock minus ours in ms, as the middle of one call tells it."""
        asked = time.time()
        body = await self._get("time", {}, "audit")
        ours_ms = (asked + time.time()) * 500
        try:
            theirs = decode_server_time(body).serverTime
        except msgspec.DecodeError as error:
            raise TryAgain(f"expected a server time, was {body[:80]!r}") from error
        offset = (theirs / 1000 if theirs >= 10**14 else theirs) - ours_ms
        try:
            await self.governor.keep_clock(offset)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be told") from error
        return offset

    async def _get(self, path: str, params: dict[str, object], kind: str) -> bytes:
        self._breaker.check()
        try:
            await self.governor.reserve(WEIGHTS[path], kind, patience=5.0)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be asked, so nobody calls") from error
        query = "&".join(f"{key}={quote(str(value))}" for key, value in params.items())
        try:
            status, headers, body = await self._call(f"{path}?{query}" if query else path)
        except TryAgain:
            self._breaker.failed()
            raise
        self._breaker.failed() if status >= 500 else self._breaker.succeeded()
        try:
            used = headers.get("X-MBX-USED-WEIGHT-1M", "")
            if used.isdigit():
                await self.governor.true_up(int(used))
            if status == 200:
                return body
            raise await self._error(status, headers.get("Retry-After"), body)
        except redis.RedisError as error:
            raise TryAgain("the limiter cannot be told") from error

    async def _call(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        if self._transport is None:
            self._transport = Transport(self._base_url)
        try:
            answer: tuple[int, Mapping[str, str], bytes] = await self._transport._request(
                "get",
                f"{self._base_url}/api/v3/{path}",
                False,
            )
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TryAgain(f"{path.split('?')[0]}: {type(error).__name__}") from error
        return answer

    async def _error(self, status: int, retry_after: str | None, body: bytes) -> Exception:
        try:
            said = decode_error(body)
            code, message = said.code, said.msg
        except msgspec.DecodeError:
            code, message = 0, body[:200].decode(errors="replace")
        if status in {418, 429}:
            seconds = ban_seconds(status, retry_after, message)
            await self.governor.ban(seconds)
            return MustWait(seconds, f"Binance answered {status}")
        if status >= 500 or status == 403 or code in {-1000, -1001, -1008}:
            return TryAgain(f"Binance answered {status}")
        return Refused(code, message)


def _trades(body: bytes) -> list[Trade]:
    try:
        return [as_trade(row) for row in decode_trade_rows(body)]
    except (msgspec.DecodeError, ValueError) as error:
        raise TryAgain(f"expected rows of trades, was {body[:80]!r}") from error
