"""The slow lane: a web process of its own, which gives way to the others, for what is dear and for
who is loud.

Threads of one process share its time, and a thread that computes cannot be told to give way. So
beside others, what reads much (`DEAR`, lists as files) and whatever a loud user reads is answered
by another process, over a socket of this machine that nobody else reaches (`SLOW_LANE`). What a
request was found to be at the outer doors goes along in a header, which no request from outside
brings in. Without a lane, or while it is away, everything is answered here.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import structlog
from yarl import URL

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
log = structlog.get_logger(__name__)

DEAR = ("/api/cvd/range", "/api/indicators", "/api/profile")
FILES = (b"format=csv", b"format=xlsx")
READING = {"GET", "HEAD"}
SEEN = b"x-tapelog-seen"
# Of one connection only; what comes back is told anew by the server that tells it on.
OF_ONE_CONNECTION = {
    b"connection",
    b"content-length",
    b"date",
    b"keep-alive",
    b"proxy-connection",
    b"server",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
# Reading a whole list takes long, and its parts come with rests between them.
TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=2, sock_read=120)
MOST_CONNECTIONS = 64


def is_dear(scope: Scope) -> bool:
    query = scope["query_string"]
    return scope["path"].startswith(DEAR) or any(words in query for words in FILES)


class Heard:
    """What comes of a request while somebody else is asked, to be heard once more."""

    def __init__(self, receive: Any) -> None:
        self._receive = receive
        self._messages: list[Any] = []

    async def __call__(self) -> Any:
        message = await self._receive()
        self._messages.append(message)
        return message

    async def again(self) -> Any:
        return self._messages.pop(0) if self._messages else await self._receive()


class SlowLane:
    """This side of it; the other is `FromLane`."""

    def __init__(self, socket_path: str) -> None:
        self._path = socket_path
        self._session: aiohttp.ClientSession | None = None

    async def takes(self, scope: Scope, receive: Any, send: Any) -> bool:
        """Whether it answered; False where it is away and nothing was said yet."""
        if not self._path or scope["method"] not in READING:
            return False
        asking = asyncio.create_task(self._ask(scope, send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else True
        finally:
            for task in (asking, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, scope: Scope, send: Any) -> bool:
        try:
            answering = await self._begin(scope)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("the slow lane does not answer", error=type(error).__name__)
            return False
        async with answering as answer:
            headers = [(n.lower(), v) for n, v in answer.raw_headers]
            headers = [(n, v) for n, v in headers if n not in OF_ONE_CONNECTION]
            if "Content-Length" in answer.headers:
                headers.append((b"content-length", answer.headers["Content-Length"].encode()))
            start = {"type": "http.response.start", "status": answer.status, "headers": headers}
            await send(start)
            async for part in answer.content.iter_any():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        return True

    async def _begin(self, scope: Scope) -> aiohttp.ClientResponse:
        if self._session is None:
            connector = aiohttp.UnixConnector(self._path, limit=MOST_CONNECTIONS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=TIMEOUT,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            )
        address = URL.build(
            scheme="http",
            host="lane",
            path=scope["raw_path"].decode("latin-1"),
            query_string=scope["query_string"].decode("latin-1"),
            encoded=True,
        )
        names = ("client", "scheme", "tapelog.direct")
        seen = json.dumps({name: scope[name] for name in names if name in scope})
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name not in OF_ONE_CONNECTION and name != SEEN
        ]
        headers.append((SEEN.decode(), seen))
        return await self._session.request(
            scope["method"], address, headers=headers, allow_redirects=False
        )


async def _left(receive: Any) -> None:
    """Until whoever asked has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


class FromLane:
    """In the lane's process: a request as the outer doors of the other one saw it."""

    def __init__(self, inner: App) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            told = next(value for name, value in scope["headers"] if name == SEEN)
            seen = json.loads(told)
            headers = [(name, value) for name, value in scope["headers"] if name != SEEN]
            client = tuple(seen.pop("client") or ()) or None
            scope = {**scope, **seen, "client": client, "headers": headers}
        await self.inner(scope, receive, send)
