"""The one door to an account at Binance: python-binance's AsyncClient as endpoint names and signer,
behind the governor.

What the client lacks is here: our addresses, percent-encoding before signing (the rule of
2026-01-15), a receive window, the clock, the headers of the call's own answer, a time limit,
retries for reads only, and errors split by what the caller does.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
import msgspec
import redis.asyncio as redis

from market.binance.breaker import DENIALS
from market.binance.errors import (
    BadKey,
    ClockDiffers,
    ExchangeError,
    MustWait,
    Refused,
    TryAgain,
    UnknownOutcome,
)
from market.binance.governor import Governor, ban_seconds
from market.binance.signing import RECV_WINDOW_MS, Addresses, Credentials, SigningClient
from market.binance.walls import is_served_elsewhere
from market.binance.weights import UID_WEIGHTS, weight_of

READ_TRIES = 3
FIRST_PAUSE_SECONDS = 0.3
KEY_CODES = {-2014, -2015, -1022, -1002}
CLOCK_CODE = -1021
# The exchange did not get or not do it.
TRANSIENT_CODES = {-1000, -1001, -1008, -1016}
UNKNOWN_CODES = {-1006, -1007}
# Reads that Binance wants as POST; they change nothing and may be asked again.
POSTED = {"/sapi/v1/asset/get-funding-asset"}
# One of these is more than the share of history has in a minute.
FILES = {"/fapi/v1/trade/asyn", "/fapi/v1/income/asyn"}
# Whether one is ready: asked in the same minute, when the share of history is gone by it.
FILE_STATES = {f"{path}/id" for path in FILES}
FILE_HOSTS = (".binance.com", ".amazonaws.com", ".cloudfront.net")
MOST_DOWNLOAD_BYTES = 200_000_000


class AccountRest:
    """One account's endpoints. Every method raises TryAgain, MustWait, BadKey, ClockDiffers or
    Refused; a change may also raise UnknownOutcome. Close it: it holds the key."""

    def __init__(
        self,
        addresses: Addresses,
        credentials: Credentials,
        governors: Mapping[str, Governor],
        *,
        kind: str = "account",
        patience: float = 5.0,
    ) -> None:
        """`governors` by the first part of the path: api, sapi, fapi, and uid for the account's own
        budget. `kind` is the class of its reads, `patience` the seconds that one waits for weight.
        Raises ValueError for a private key that cannot be read."""
        self._kind = kind
        self._patience = patience
        self._addresses = addresses
        self._governors = governors
        try:
            self._client = SigningClient(addresses, credentials)
        except (ValueError, IndexError, TypeError, NotImplementedError) as error:
            raise ValueError("expected a private key in PEM, without a passphrase") from error
        self._is_clock_known = False

    async def aclose(self) -> None:
        try:
            await self._client.close_connection()
        finally:
            self._client.API_KEY = self._client.API_SECRET = self._client.PRIVATE_KEY = None
            self._client.session.headers.popall("X-MBX-APIKEY", None)

    @property
    def clock_offset_ms(self) -> float:
        """The exchange's clock minus ours."""
        return float(self._client.timestamp_offset)

    async def measure_clock(self, kind: str = "account") -> float:
        """The exchange's clock minus ours in ms, as the middle of one call tells it."""
        answer = await self._call("get", "/api/v3/time", {}, signed=False, kind=kind)
        sent_at, answered = self._client.called
        try:
            offset = float(answer["serverTime"]) - (sent_at + answered) * 500
        except (TypeError, KeyError, ValueError) as error:
            raise TryAgain("expected a server time") from error
        self._client.timestamp_offset = int(offset)
        self._is_clock_known = True
        return offset

    async def permissions(self) -> dict[str, Any]:
        """What the key may do (apiRestrictions)."""
        return dict(await self._read("/sapi/v1/account/apiRestrictions"))

    async def account(self) -> dict[str, Any]:
        return dict(await self._read("/api/v3/account", {"omitZeroBalances": "true"}))

    async def open_orders(self) -> list[dict[str, Any]]:
        return list(await self._read("/api/v3/openOrders"))

    async def prices(self) -> dict[str, str]:
        """Last price of every spot symbol."""
        rows = await self._read("/api/v3/ticker/price", signed=False)
        return {str(row["symbol"]): str(row["price"]) for row in rows}

    async def futures_account(self) -> dict[str, Any]:
        return dict(await self._read("/fapi/v3/account"))

    async def read(self, path: str, **params: object) -> Any:
        """Any signed read; the answer as JSON."""
        return await self._read(path, params)

    async def read_public(self, path: str, **params: object) -> Any:
        """Any GET that needs no signature; the answer as JSON."""
        return await self._read(path, params, signed=False)

    async def listen_key(self) -> str:
        """Of the futures user stream: made, or kept for another hour."""
        answer = await self._call("post", "/fapi/v1/listenKey", {}, signed=False, kind=self._kind)
        return str(answer["listenKey"])

    def signed_message(self) -> dict[str, object]:
        """Parameters of `userDataStream.subscribe.signature`: sorted by name, joined and signed as
        they are, not percent-encoded (binance.md 3.1)."""
        params: dict[str, object] = {
            "apiKey": self._client.API_KEY,
            "recvWindow": RECV_WINDOW_MS,
            "timestamp": int(time.time() * 1000 + self._client.timestamp_offset),
        }
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
        return {**params, "signature": self._client.signed(payload)}

    async def download(self, address: str) -> bytes:
        """A file that the exchange made for us; without our key. Raises TryAgain, Refused."""
        if address.startswith("/"):
            address = self._addresses.futures + address
        if not _is_theirs(address, self._addresses.futures):
            raise Refused(0, f"expected an address of Binance's for a file, was {address[:80]}")
        timeout = aiohttp.ClientTimeout(total=120)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(address, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise TryAgain(f"the file's address answered {answer.status}")
                body = await answer.content.read(MOST_DOWNLOAD_BYTES + 1)
                while chunk := await answer.content.read(MOST_DOWNLOAD_BYTES + 1 - len(body)):
                    body += chunk
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TryAgain(f"file: {type(error).__name__}") from error
        if len(body) > MOST_DOWNLOAD_BYTES:
            raise Refused(0, f"expected a file of at most {MOST_DOWNLOAD_BYTES} bytes")
        return body

    async def change(
        self, method: Literal["post", "put", "delete"], path: str, **params: object
    ) -> Any:  # noqa: E501
        """Anything that changes something: sent once, never again.

        Raises UnknownOutcome when it may have happened.
        """
        if not self._is_clock_known:
            await self.measure_clock("order")
        try:
            return await self._call(method, path, params, signed=True, kind="order")
        except ClockDiffers:
            self._is_clock_known = False  # refused: nothing has happened, and the next one is right
            raise
        except (TryAgain, asyncio.CancelledError) as error:  # it may have left
            raise UnknownOutcome(f"{method.upper()} {path}: {error}") from error

    # --- one call -------------------------------------------------------------------------------

    async def _read(
        self, path: str, params: Mapping[str, object] | None = None, *, signed: bool = True
    ) -> Any:
        """Tried again while it may help; the clock is measured again once."""
        if signed:
            await self._know_clock()
        has_measured = False
        for attempt in range(READ_TRIES + 1):  # one more for the clock
            try:
                kind = self._class_of(path)
                method = "post" if path in POSTED else "get"
                return await self._call(method, path, params or {}, signed=signed, kind=kind)
            except ClockDiffers:
                if has_measured:
                    raise
                has_measured = True
                await self.measure_clock()
            except TryAgain:
                if attempt >= READ_TRIES - 1:
                    raise
                pause = FIRST_PAUSE_SECONDS * 2**attempt
                await asyncio.sleep(random.uniform(0, pause))  # noqa: S311  (not all at once)
        raise AssertionError("a loop without an end")

    def _class_of(self, path: str) -> str:
        if path in FILES:
            return "file"
        return "account" if path in FILE_STATES else self._kind

    async def _know_clock(self) -> None:
        if not self._is_clock_known:
            await self.measure_clock()

    async def _call(
        self, method: str, path: str, params: Mapping[str, object], *, signed: bool, kind: str
    ) -> Any:
        governor = self._governors[path.split("/")[1]]
        is_futures = path.startswith("/fapi")
        base = self._addresses.futures if is_futures else self._addresses.spot
        call_at = partial(self._call_at, method, path, params, signed=signed, kind=kind)
        try:
            return await call_at(base, governor)
        except MustWait:
            data = self._governors.get("data")
            is_public = not signed and is_served_elsewhere(path)
            if data is None or not is_public or not await _is_walled(governor):
                raise
            return await call_at(self._addresses.data, data)

    async def _call_at(
        self,
        method: str,
        path: str,
        params: Mapping[str, object],
        base: str,
        governor: Governor,
        *,
        signed: bool,
        kind: str,
    ) -> Any:
        try:
            await governor.reserve(weight_of(method, path, params), kind, self._patience)
            if path in UID_WEIGHTS and "uid" in self._governors:
                # nobody else uses the account's own budget: all of it
                await self._governors["uid"].reserve(UID_WEIGHTS[path], "order", self._patience)
        except redis.RedisError as error:
            raise MustWait(1.0, "the limiter cannot be asked, so nobody calls") from error
        try:
            status, headers, body = await self._client._request(
                method, f"{base}{path}", signed, params=dict(params)
            )
        except aiohttp.ClientConnectorError as error:  # no byte was sent
            raise MustWait(1.0, f"{path}: {type(error).__name__}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TryAgain(f"{path}: {type(error).__name__}") from error
        used = headers.get("X-MBX-USED-WEIGHT-1M", "")
        with contextlib.suppress(
            redis.RedisError
        ):  # the answer is there, whatever the limiter does
            if used.isdigit():
                await governor.true_up(int(used))
        try:
            if status == 200:
                return msgspec.json.decode(body)
            raise await as_error(governor, status, headers.get("Retry-After"), body)
        except msgspec.DecodeError as error:
            raise TryAgain(f"{path}: expected JSON, was {body[:80]!r}") from error


async def _is_walled(governor: Governor) -> bool:
    try:
        return await governor.is_walled()
    except redis.RedisError:
        return False


async def as_error(
    governor: Governor, status: int, retry_after: str | None, body: bytes
) -> ExchangeError:
    try:
        refusal = msgspec.json.decode(body, type=dict[str, Any])
        code, message = int(refusal.get("code", 0)), str(refusal.get("msg", ""))
    except (msgspec.DecodeError, msgspec.ValidationError, TypeError, ValueError):
        code, message = 0, body[:200].decode(errors="replace")
    if status == 418 or (status == 429 and code != -1015):
        seconds = ban_seconds(status, retry_after, message)
        with contextlib.suppress(redis.RedisError):  # it holds for this process all the same
            await governor.ban(seconds, f"Binance answered {status}: {message}"[:200])
        return MustWait(seconds, f"Binance answered {status}")
    if status == 451:
        with contextlib.suppress(redis.RedisError):
            await governor.wall(DENIALS[status][0], f"Binance answered {status}: {message}"[:200])
    if status in DENIALS:  # 403 is of this call: whether of all is told by the public side
        return MustWait(DENIALS[status][0], f"Binance answered {status}")
    if status >= 500 or code in TRANSIENT_CODES | UNKNOWN_CODES:
        return TryAgain(f"Binance answered {status} {code}")
    if code == CLOCK_CODE:
        return ClockDiffers(code, message)
    if code in KEY_CODES or status == 401:
        return BadKey(code, message)
    return Refused(code, message)


def _is_theirs(address: str, base: str) -> bool:
    """The exchange's own host, or one of those that Binance keeps its files at."""
    target, own = urlsplit(address), urlsplit(base)
    if (target.scheme, target.netloc) == (own.scheme, own.netloc):
        return True
    host = f".{target.hostname or ''}"
    return target.scheme == "https" and "@" not in target.netloc and host.endswith(FILE_HOSTS)
