"""Bodies have a limit and a time limit before anything reads them, behind no proxy too.

Django spools a body to disk before any view runs: without this, nobody could fill the disk.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
TOO_LARGE, TOO_SLOW = 413, 408


class BodyGuard:
    def __init__(self, inner: App) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        most = _most(scope["headers"])
        if _length(scope["headers"]) > most:
            await _refuse(send, TOO_LARGE, _too_large(most))
            return
        guarded = _Guarded(receive, send, most)
        await self.inner(scope, guarded.receive, guarded.send)
        if guarded.refusal is not None and not guarded.has_answered:
            await _refuse(send, *guarded.refusal)


class _Guarded:
    """One request's `receive`: after too much or too long it says that the client went away."""

    def __init__(self, receive: Any, send: Any, most: int) -> None:
        self._receive, self._send, self._most = receive, send, most
        self._size = 0
        self._is_whole = False
        self._deadline = asyncio.get_running_loop().time() + settings.BODY_SECONDS
        self.refusal: tuple[int, str] | None = None
        self.has_answered = False

    async def receive(self) -> Any:
        if self._is_whole:  # from here on it only tells when the client goes
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refusal = (
                TOO_SLOW,
                (f"Expected the whole request within {settings.BODY_SECONDS} seconds."),
            )
            return {"type": "http.disconnect"}
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._size > self._most:
            self.refusal = TOO_LARGE, _too_large(self._most)
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Any) -> None:
        self.has_answered = True
        await self._send(message)


def _most(headers: list[tuple[bytes, bytes]]) -> int:
    """Forms with files may be larger than anything else."""
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    is_upload = kind.lower().startswith(b"multipart/form-data")
    return int(settings.UPLOAD_LIMIT_BYTES if is_upload else settings.BODY_LIMIT_BYTES)


def _length(headers: list[tuple[bytes, bytes]]) -> int:
    lengths = [value for name, value in headers if name == b"content-length"]
    return max((int(value) for value in lengths if value.isdigit() and len(value) < 20), default=0)


def _too_large(most: int) -> str:
    return f"Expected a request of at most {most:,} bytes."


async def _refuse(send: Any, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
