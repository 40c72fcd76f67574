"""Requests straight to the ASGI application, as a server hands them over: with a peer of any
address, raw headers, and a body that comes as the test likes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from config.asgi import application

Headers = list[tuple[bytes, bytes]]


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def ask(
    path: str,
    *,
    method: str = "GET",
    peer: str | None = "127.0.0.1",
    headers: Headers | None = None,
    body: AsyncIterator[bytes] | bytes = b"",
    app: Any = application,
    scheme: str = "http",
) -> Answer:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), *(headers or [])],
        "client": (peer, 1234) if peer else None,
        "server": ("127.0.0.1", 8000),
    }
    answer = Answer()
    sent = aiter(_parts(body))
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        try:
            return {"type": "http.request", "body": await anext(sent), "more_body": True}
        except StopAsyncIteration:
            if not gone.is_set():
                gone.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            await asyncio.Event().wait()
            raise

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def _parts(body: AsyncIterator[bytes] | bytes) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    async for part in body:
        yield part
