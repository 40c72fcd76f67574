"""The spot user stream: one WebSocket-API connection that carries every account of this server,
each under a subscription of its own (binance.md 4.1)."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
import websockets

from market.binance.account import AccountRest

log = structlog.get_logger(__name__)

PATH = "/ws-api/v3"
TIMEOUT_SECONDS = 10.0
# A connection lives 24 hours; the next one is open before.
LIFE_SECONDS = 23 * 3600.0
MOST_FRAME_BYTES = 1_000_000
ALREADY = -2035
# account -> event
Hear = Callable[[str, dict[str, Any]], None]
Sign = Callable[[str], Awaitable[AccountRest]]


class SpotStream:
    """One connection, from its handshake to its end. Events go to `hear` with their account."""

    def __init__(self, url: str, sign: Sign, hear: Hear) -> None:
        self._url = url + PATH
        self._sign = sign
        self._hear = hear
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        # subscription -> account; valid on this connection only
        self.accounts: dict[int, str] = {}
        self.is_ending = asyncio.Event()

    async def open(self) -> None:
        """Raises OSError, TimeoutError or websockets.WebSocketException."""
        self._socket = await websockets.connect(
            self._url,
            open_timeout=TIMEOUT_SECONDS,
            ping_interval=20,
            ping_timeout=20,
            max_size=MOST_FRAME_BYTES,
            max_queue=1024,
        )
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        await self._socket.close()

    @property
    def has_ended(self) -> bool:
        return self._reading.done()

    async def wait_ended(self) -> None:
        await asyncio.wait({self._reading})

    async def subscribe(self, account: str) -> None:
        """Raises ExchangeError of the signer, ValueError with what the exchange said, TimeoutError
        or a websocket's end."""
        rest = await self._sign(account)
        answer = await self._ask("userDataStream.subscribe.signature", rest.signed_message())
        error = answer.get("error")
        if error and error.get("code") == ALREADY and account not in self.accounts.values():
            self.is_ending.set()  # it was, and its answer was lost: only a new connection knows
        if error:
            raise ValueError(f"{error.get('code')}: {error.get('msg')}")
        self.accounts[int(answer["result"]["subscriptionId"])] = account

    async def unsubscribe(self, account: str) -> None:
        for number in [n for n, name in self.accounts.items() if name == account]:
            await self._ask("userDataStream.unsubscribe", {"subscriptionId": number})
            self.accounts.pop(number, None)

    def forget(self, account: str) -> None:
        """The exchange has ended its subscription."""
        self.accounts = {n: name for n, name in self.accounts.items() if name != account}

    async def _ask(self, method: str, params: Mapping[str, object]) -> dict[str, Any]:
        name = str(next(self._numbers))
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[name] = future
        try:
            message = {"id": name, "method": method, "params": params}
            await self._socket.send(msgspec.json.encode(message).decode())
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await future
        finally:
            self._answers.pop(name, None)

    async def _read(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in self._socket:
                try:
                    self._take(msgspec.json.decode(text))
                except (msgspec.DecodeError, AttributeError, TypeError, ValueError):
                    log.warning("user stream frame is malformed")
        for future in self._answers.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the user stream has ended"))

    def _take(self, message: dict[str, Any]) -> None:
        if "event" in message:
            event = message["event"]
            if event.get("e") == "serverShutdown":
                self.is_ending.set()
                return
            account = self.accounts.get(message.get("subscriptionId", -1))
            if account is not None:
                self._hear(account, event)
                if event.get("e") == "eventStreamTerminated":
                    self.forget(account)
            return
        future = self._answers.get(str(message.get("id")))
        if future is not None and not future.done():
            future.set_result(message)
