"""What changes something at the exchange: sent once, with a timestamp that its caller has written
down before, and answered with what is known of the outcome. Only `trading/` may use it.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
import msgspec
import redis.asyncio as redis

from market.binance.account import AccountRest, as_error
from market.binance.errors import MustWait, Refused, TryAgain, UnknownOutcome
from market.binance.governor import Governor
from market.binance.order_budget import OrderBudget
from market.binance.signing import RECV_WINDOW_MS, Addresses, Credentials

Method = Literal["post", "put", "delete"]
# "Duplicate order sent.", -4116 and -4015: an order of this client id is there.
DUPLICATES = {-4116}
DUPLICATE_TEXT = "Duplicate order"
# A wall in front of the exchange; nobody says that what passed it was not done.
WALLS = {403, 451}
# What a cancel may do without the limiter: a minute's weight of this process.
LOCAL_WEIGHT_A_MINUTE = 300


class NeverLeft(Exception):
    """No byte of it was sent."""


class HalfDone(Refused):
    """Of a cancel-replace: `data` says what became of each half."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(code, message)
        self.data = dict(data)


class OrderRest(AccountRest):
    """One account's orders. `budget` counts them; without Redis nothing is placed, and what only
    takes orders out goes on, within a small allowance of this process."""

    def __init__(
        self,
        addresses: Addresses,
        credentials: Credentials,
        governors: Mapping[str, Governor],
        budget: OrderBudget,
    ) -> None:
        super().__init__(addresses, credentials, governors, kind="order", patience=2.0)
        self.budget = budget
        self._local_minute = 0
        self._local_used = 0

    async def make_room(self, path: str, *, weight: int = 1, is_urgent: bool = False) -> int:
        """The clock is known and the weight reserved: what follows leaves at once. Returns the
        exchange's time in ms, for the request's timestamp.

        Raises ExchangeError; `is_urgent` (a cancel, a look) goes on without Redis.
        """
        try:
            if not self._is_clock_known:
                await self.measure_clock("order")
        except MustWait:
            if not is_urgent:
                raise
        except TryAgain:
            if not is_urgent:
                raise
        try:
            await self._governors[path.split("/")[1]].reserve(weight, "order", self._patience)
        except redis.RedisError as error:
            if not is_urgent or not self._take_local(weight):
                raise MustWait(1.0, "the limiter cannot be asked, so nobody calls") from error
        return int(time.time() * 1000 + self._client.timestamp_offset)

    async def send(
        self, method: Method, path: str, params: Mapping[str, object], timestamp_ms: int
    ) -> Any:
        """The answer as JSON. Raises NeverLeft, Refused (HalfDone); UnknownOutcome for all
        that may have happened, a task that was cancelled meanwhile included."""
        try:
            status, headers, body = await self._sent(method, path, params, timestamp_ms)
            return await self._understood(path, status, headers, body)
        except asyncio.CancelledError as error:
            raise UnknownOutcome(f"{method.upper()} {path}: cancelled while it ran") from error

    async def look(self, path: str, params: Mapping[str, object]) -> Any:
        """A signed GET of what orders are; goes on without Redis. Raises ExchangeError."""
        timestamp_ms = await self.make_room(path, weight=_weight(path, params), is_urgent=True)
        try:
            status, headers, body = await self._sent("get", path, params, timestamp_ms)
            return await self._understood(path, status, headers, body)
        except NeverLeft as error:
            raise TryAgain(str(error)) from error
        except UnknownOutcome as error:
            raise TryAgain(str(error)) from error

    async def _sent(
        self, method: str, path: str, params: Mapping[str, object], timestamp_ms: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        base = self._addresses.futures if path.startswith("/fapi") else self._addresses.spot
        stamped = {**params, "timestamp": timestamp_ms}
        try:
            return await self._client._request(method, f"{base}{path}", True, params=stamped)
        except aiohttp.ClientConnectorError as error:
            raise NeverLeft(f"{path}: {type(error).__name__}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnknownOutcome(f"{path}: {type(error).__name__}") from error

    async def _understood(
        self, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> Any:
        governor = self._governors[path.split("/")[1]]
        with contextlib.suppress(redis.RedisError):  # the answer counts, whatever the limiter does
            used = headers.get("X-MBX-USED-WEIGHT-1M", "")
            if used.isdigit():
                await governor.true_up(int(used))
            await self.budget.true_up("usdm" if path.startswith("/fapi") else "spot", headers)
        try:
            answer = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            if status == 200 or status >= 500 or status in WALLS:
                raise UnknownOutcome(f"{path}: expected JSON, was {body[:80]!r}") from error
            answer = {}
        if status == 200:
            return answer
        if isinstance(answer, dict) and isinstance(answer.get("data"), dict):
            raise HalfDone(int(answer.get("code", 0)), str(answer.get("msg", "")), answer["data"])
        refusal = await as_error(governor, status, headers.get("Retry-After"), body)
        if isinstance(refusal, TryAgain) or status in WALLS:
            raise UnknownOutcome(f"{path}: {refusal}")
        if isinstance(refusal, MustWait):  # 429 and 418: not taken
            raise Refused(-1003, str(refusal))
        if isinstance(refusal, Refused):
            if refusal.code == -1021:
                self._is_clock_known = False
            if refusal.code in DUPLICATES or DUPLICATE_TEXT in str(refusal):
                raise UnknownOutcome(f"{path}: {refusal}")
        raise refusal

    def _take_local(self, weight: int) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self._local_minute:
            self._local_minute, self._local_used = minute, 0
        self._local_used += weight
        return self._local_used <= LOCAL_WEIGHT_A_MINUTE


def _weight(path: str, params: Mapping[str, object]) -> int:
    """Of the reads that orders need (binance.md 2.2, 5.3, 9)."""
    if path == "/api/v3/openOrders":
        return 6 if "symbol" in params else 80
    if path in {"/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"}:
        return 1 if "symbol" in params else 40
    return {"/api/v3/order": 4, "/api/v3/account/commission": 20, "/fapi/v1/commissionRate": 20,
            "/fapi/v3/positionRisk": 5, "/fapi/v3/account": 5, "/fapi/v1/symbolConfig": 5,
            "/fapi/v1/positionSide/dual": 30, "/api/v3/account": 20}.get(path, 1)  # fmt: skip


def expires_ms(timestamp_ms: int) -> int:
    """From when on an order of this timestamp can no longer begin to exist at the exchange; the
    contract's 2 s are for an engine that tells late."""
    return timestamp_ms + RECV_WINDOW_MS + 2000
