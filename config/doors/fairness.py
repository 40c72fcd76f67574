"""Beside others, what one user asks takes its turn before it takes a thread: a few at once, and of
whoever is loud (`accounts.shares`) one, with pauses that leave this process to the others. Whose
requests have stood in the queue for seconds, or do again and again, is loud: a page's are through
by then."""

import asyncio
import json
import math
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.limits import WAITED
from accounts.shares import Shares, credential_of, shares

Scope = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
# Threads of one process share its time: more at once are slower each, and others with them.
MOST_AT_ONCE = 2
CROWDED_SECONDS = 2.0
# Longer than a browser's user waits, one is told when to come again; so is who sends many at once.
MOST_SECONDS, MOST_WAITING, MOST_WAITING_LOUD = 10.0, 24, 6
# Who asks again at once when refused hears it so late, up to so many at a time.
REFUSED_AFTER_SECONDS, MOST_REFUSED = 1.0, 100
# So many answers that say when to come again are remembered, of so many bytes at most.
MOST_TOLD, LONGEST_TOLD = 1_000, 4_096
KEPT = {b"content-type", b"ratelimit", b"ratelimit-policy"}
# in a request's scope: a refusal that is not whole yet, since others may be answered meanwhile
TOLD = "tapelog.told"
# in `RateLimit`: seconds until a share is whole again
UNTIL = re.compile(rb"\bt=\d+")
JSON = [(b"content-type", b"application/json")]
# What changes an order is never late, and has a small share a minute anyway.
ORDERS = ("/api/orders", "/api/trading")
READING = {"GET", "HEAD", "OPTIONS"}
SENTENCE = (
    "You have asked for so much that others had to wait. Expected the next request in %d seconds."
)


@dataclass
class Room:
    """Where one user's requests wait; all of `places` may be at work, of a loud one's only who has
    the `turn`."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    inside: int = 0
    waiting: int = 0
    refused: int = 0
    # when the first began to wait, since which somebody always has
    crowded_at: float = 0.0

    def comes(self) -> None:
        if not self.waiting:
            self.crowded_at = time.monotonic()
        self.waiting += 1

    @property
    def is_crowded(self) -> bool:
        return self.waiting > 0 and time.monotonic() - self.crowded_at > CROWDED_SECONDS


@dataclass
class Told:
    """An answer that said when to come again, at `again_at`; of its headers those of `KEPT`."""

    again_at: float
    headers: Headers
    body: bytes = b""


class Refusals:
    """Who was told when to come again and comes before is told so at the door, where that costs
    nothing: to find it out inside costs as much as many an answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: OrderedDict[tuple[str, str, bytes], Told] = OrderedDict()

    def find(self, who: str, scope: Scope) -> tuple[float, Told] | None:
        """What it was told, and the seconds that are left until it may come."""
        told = self._told.get(_asked(who, scope)) if scope["method"] in READING else None
        left = told.again_at - self._clock() if told is not None else 0.0
        return (left, told) if told is not None and left > 0 else None

    def hear(self, who: str, scope: Scope, message: Any) -> None:
        """A message of an answer that is on its way."""
        if scope["method"] not in READING:
            return
        asked = _asked(who, scope)
        if message["type"] == "http.response.start":
            self._told.pop(asked, None)
            headers = {name.lower(): value for name, value in message["headers"]}
            seconds = headers.get(b"retry-after", b"")
            if message["status"] == 429 and seconds.isdigit():
                kept = [(name, value) for name, value in headers.items() if name in KEPT]
                scope[TOLD] = Told(self._clock() + int(seconds), kept)
        elif (told := scope.get(TOLD)) is not None and len(told.body) <= LONGEST_TOLD:
            told.body += message.get("body", b"")
            if not message.get("more_body") and len(told.body) <= LONGEST_TOLD:
                self._told[asked] = told
                if len(self._told) > MOST_TOLD:
                    self._told.popitem(last=False)


def _asked(who: str, scope: Scope) -> tuple[str, str, bytes]:
    return who, scope["path"], scope.get("query_string", b"")


class FairShare:
    def __init__(self, inner: App, known: Shares = shares) -> None:
        self.inner = inner
        self._shares = known
        self._rooms: dict[str, Room] = {}
        self._refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        who = self._who_waits(scope)
        if who is None:
            await self.inner(scope, receive, send)
            return
        room = self._rooms.setdefault(who, Room())
        room.inside += 1
        try:
            await self._in_turn(who, room, scope, receive, send)
        finally:
            room.inside -= 1
            if not room.inside:
                del self._rooms[who]

    def _who_waits(self, scope: Scope) -> str | None:
        """Who asks, if it has to take its turn: a user, or the credential of one not met yet."""
        path = scope["path"]
        if path.startswith(settings.STATIC_URL):
            return None
        if path.startswith(ORDERS) and scope["method"] not in READING:
            return None
        credential = _credential(scope["headers"])
        if credential is None:
            return None
        who = self._shares.whose(credential) or credential.hex()
        return who if self._shares.has_others(who) else None

    async def _in_turn(self, who: str, room: Room, scope: Scope, receive: Any, send: Any) -> None:
        held: list[asyncio.Semaphore | asyncio.Lock] = []

        async def send_and_leave(message: Any) -> None:
            """The next may come when the answer begins: who reads it slowly holds nobody up."""
            _give_back(held)
            self._refusals.hear(who, scope, message)
            await send(message)

        try:
            if (found := self._refusals.find(who, scope)) is not None:
                seconds, told = found
                await self._refuse(room, send, seconds, told.headers, told.body)
                return
            if not await self._enter(who, room, held):
                _give_back(held)
                seconds = self._shares.pause(who)
                body = json.dumps({"code": "too_much", "detail": SENTENCE % _whole(seconds)})
                await self._refuse(room, send, seconds, JSON, body.encode())
                return
            has_waited = room.turn in held
            await self.inner({**scope, WAITED: has_waited}, receive, send_and_leave)
        finally:
            _give_back(held)

    async def _enter(
        self, who: str, room: Room, held: list[asyncio.Semaphore | asyncio.Lock]
    ) -> bool:
        """False where too many wait, or for too long; what is `held` has to be given back."""
        if room.is_crowded:
            self._shares.crowds(who)
        most = MOST_WAITING_LOUD if self._shares.is_loud(who) else MOST_WAITING
        if room.waiting >= most:
            return False
        room.comes()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await room.places.acquire()
                held.append(room.places)
                if self._shares.is_loud(who):
                    await room.turn.acquire()
                    held.append(room.turn)
                    # again and again, since another process may make it longer
                    while (pause := self._shares.pause(who)) > 0:
                        await asyncio.sleep(pause)
        except TimeoutError:
            return False
        finally:
            room.waiting -= 1
            if not room.waiting:
                self._shares.waited(who, time.monotonic() - room.crowded_at)
        return True

    async def _refuse(
        self, room: Room, send: Any, seconds: float, headers: Headers, body: bytes
    ) -> None:
        if room.refused < MOST_REFUSED:
            room.refused += 1
            try:
                await asyncio.sleep(REFUSED_AFTER_SECONDS)
            finally:
                room.refused -= 1
        left = str(_whole(seconds)).encode()
        told = [(name, UNTIL.sub(b"t=" + left, value)) for name, value in headers]
        told += [(b"content-length", str(len(body)).encode()), (b"retry-after", left)]
        await send({"type": "http.response.start", "status": 429, "headers": told})
        await send({"type": "http.response.body", "body": body})


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def _give_back(held: list[asyncio.Semaphore | asyncio.Lock]) -> None:
    while held:
        held.pop().release()


def _credential(headers: Headers) -> bytes | None:
    authorization = session = b""
    name = settings.SESSION_COOKIE_NAME.encode() + b"="
    for header, value in headers:
        if header == b"authorization":
            authorization = value
        elif header == b"cookie":
            cookies = (cookie.strip() for cookie in value.split(b";"))
            session = next((one[len(name) :] for one in cookies if one.startswith(name)), session)
    return credential_of(authorization, session)
