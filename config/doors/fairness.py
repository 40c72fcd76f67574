"""Whoever is loud (`accounts.shares`) waits before its request takes a thread: one at a time, and
with pauses that leave this process to the others."""

import asyncio
import json
import math
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from accounts.limits import WAITED
from accounts.shares import Shares, credential_of, shares

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
# Longer than a browser's user waits, one is told when to come again; so is who sends many at once.
MOST_SECONDS, MOST_WAITING = 10.0, 6
# What changes an order is never late, and has a small share a minute anyway.
ORDERS = ("/api/orders", "/api/trading")
READING = {"GET", "HEAD", "OPTIONS"}
SENTENCE = (
    "You have asked for so much that others had to wait. Expected the next request in %d seconds."
)


class FairShare:
    def __init__(self, inner: App, known: Shares = shares) -> None:
        self.inner = inner
        self._shares = known
        self._waiting: Counter[str] = Counter()
        self._at_work: dict[str, asyncio.Lock] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        who = self._loud(scope)
        if who is None:
            await self.inner(scope, receive, send)
            return
        if self._waiting[who] >= MOST_WAITING:
            await self._refuse(who, send)
            return
        lock = self._at_work.setdefault(who, asyncio.Lock())
        self._waiting[who] += 1
        try:
            has_turn = await self._wait(who, lock)
        finally:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who]
        if not has_turn:
            await self._refuse(who, send)
            return
        await self._work(lock, {**scope, WAITED: True}, receive, send)
        if not self._waiting[who] and not lock.locked():
            self._at_work.pop(who, None)

    def _loud(self, scope: Scope) -> str | None:
        """Who asks, if it has to wait."""
        path = scope["path"]
        if path.startswith(settings.STATIC_URL):
            return None
        if path.startswith(ORDERS) and scope["method"] not in READING:
            return None
        credential = _credential(scope["headers"])
        who = self._shares.whose(credential) if credential is not None else None
        return who if who is not None and self._shares.is_loud(who) else None

    async def _wait(self, who: str, lock: asyncio.Lock) -> bool:
        """True with the lock held, False after too long."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await lock.acquire()
        except TimeoutError:
            return False
        try:
            if self._shares.is_loud(who):
                await asyncio.sleep(self._shares.pause(who))
        except BaseException:
            lock.release()
            raise
        return True

    async def _work(self, lock: asyncio.Lock, scope: Scope, receive: Any, send: Any) -> None:
        """The next may come when the answer begins: who reads it slowly holds nobody up."""
        is_held = True

        async def send_and_release(message: Any) -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                lock.release()
            await send(message)

        try:
            await self.inner(scope, receive, send_and_release)
        finally:
            if is_held:
                lock.release()

    async def _refuse(self, who: str, send: Any) -> None:
        seconds = max(1, math.ceil(self._shares.pause(who)))
        body = json.dumps({"code": "too_much", "detail": SENTENCE % seconds}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", str(seconds).encode()),
        ]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _credential(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    authorization = session = b""
    name = settings.SESSION_COOKIE_NAME.encode() + b"="
    for header, value in headers:
        if header == b"authorization":
            authorization = value
        elif header == b"cookie":
            cookies = (cookie.strip() for cookie in value.split(b";"))
            session = next((one[len(name) :] for one in cookies if one.startswith(name)), session)
    return credential_of(authorization, session)
