"""The slow lane: what is dear beside others, and what a loud user reads, is answered by another
process over a real socket; it hears what the outer doors saw, and nobody else's word for it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.conf import settings

from accounts.shares import Cost, Shares, credential_of
from config.doors.fairness import FairShare
from config.doors.lane import FromLane, Heard, SlowLane, is_dear

RANGE = "/api/cvd/range"
COOKIE = f"{settings.SESSION_COOKIE_NAME}=a".encode()


class Lane:
    """An application behind `FromLane`, on uvicorn, that tells what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.is_left = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.scopes.append(scope)
        headers = [
            (b"content-type", b"text/plain"),
            (b"set-cookie", b"one=1"),
            (b"set-cookie", b"two=2"),
        ]
        await receive()
        await send({"type": "http.response.start", "status": 203, "headers": headers})
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        if scope["path"].endswith("endless"):
            assert (await receive())["type"] == "http.disconnect"
            self.is_left.set()
            return
        await send({"type": "http.response.body", "body": b"last"})


@pytest.fixture
async def lane() -> Lane:
    return Lane()


@pytest.fixture
async def path(lane: Lane, tmp_path: Path) -> AsyncIterator[str]:
    place = tmp_path / "lane.sock"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(place))
    config = uvicorn.Config(FromLane(lane), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield str(place)
    server.should_exit = True
    await serving


@pytest.fixture
async def slow(path: str) -> AsyncIterator[SlowLane]:
    """This side of it."""
    made = SlowLane(path)
    yield made
    await made.close()


def asking(path: str, query: bytes = b"", method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", b"journal.example"), (b"cookie", COOKIE)],
        "client": ("203.0.113.9", 4711),
        "scheme": "https",
        "tapelog.direct": False,
        **more,
    }


class Caller:
    """Who asks: it sends nothing more, and may leave."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.leaves = asyncio.Event()
        self._first = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive(self) -> Any:
        if self._first:
            return self._first.pop()
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def test_it_answers_as_if_it_had_been_asked_itself(lane: Lane, slow: SlowLane) -> None:
    caller = Caller()
    scope = asking(RANGE, b"symbol=BTCUSDT&from=%2B1&x=a%20b")
    assert await slow.takes(scope, caller.receive, caller.send)
    [seen] = lane.scopes
    for name in ("method", "path", "query_string", "client", "scheme", "tapelog.direct"):
        assert seen[name] == scope[name], name
    assert set(scope["headers"]) <= set(seen["headers"])
    start = caller.sent[0]
    assert start["status"] == 203
    cookies = [value for name, value in start["headers"] if name == b"set-cookie"]
    assert cookies == [b"one=1", b"two=2"]
    assert caller.body == b"first last"
    assert not caller.sent[-1].get("more_body")


async def test_nobody_outside_says_what_was_seen(lane: Lane, slow: SlowLane) -> None:
    forged = json.dumps({"client": ["10.0.0.1", 1], "scheme": "https", "tapelog.direct": True})
    scope = asking(RANGE)
    scope["headers"].insert(0, (b"x-tapelog-seen", forged.encode()))
    caller = Caller()
    assert await slow.takes(scope, caller.receive, caller.send)
    [seen] = lane.scopes
    assert seen["client"] == ("203.0.113.9", 4711)
    assert seen["tapelog.direct"] is False
    assert not any(name == b"x-tapelog-seen" for name, _ in seen["headers"])


async def test_a_caller_without_an_address_has_none_there(lane: Lane, slow: SlowLane) -> None:
    caller = Caller()
    await slow.takes(asking(RANGE, client=None), caller.receive, caller.send)
    assert lane.scopes[0]["client"] is None


async def test_what_changes_something_stays_here(lane: Lane, slow: SlowLane) -> None:
    caller = Caller()
    scope = asking(RANGE, method="POST")
    assert not await slow.takes(scope, caller.receive, caller.send)
    assert not lane.scopes


async def test_where_it_is_away_the_request_is_still_whole(tmp_path: Path) -> None:
    caller = Caller()
    heard = Heard(caller.receive)
    away = SlowLane(str(tmp_path / "nobody.sock"))
    assert not await away.takes(asking(RANGE), heard, caller.send)
    await away.close()
    assert caller.sent == []
    assert (await heard.again())["type"] == "http.request"
    caller.leaves.set()
    assert (await heard.again())["type"] == "http.disconnect"


async def test_who_leaves_is_not_worked_for(lane: Lane, slow: SlowLane) -> None:
    caller = Caller()
    working = asyncio.create_task(
        slow.takes(asking("/api/cvd/range/endless"), caller.receive, caller.send)
    )
    async with asyncio.timeout(10):
        while caller.body != b"first ":
            await asyncio.sleep(0.01)
        caller.leaves.set()
        assert await working
        await lane.is_left.wait()


@pytest.mark.parametrize(
    ("target", "query", "is_so"),
    [
        (RANGE, b"symbol=BTCUSDT", True),
        ("/api/indicators", b"", True),
        ("/api/fills", b"format=csv", True),
        ("/trades/", b"state=all&format=xlsx", True),
        ("/", b"", False),
        ("/api/cvd/realtime", b"symbol=BTCUSDT", False),
        ("/api/fills", b"format=json", False),
    ],
)
def test_what_is_dear(target: str, query: bytes, *, is_so: bool) -> None:
    assert is_dear(asking(target, query)) is is_so


@pytest.mark.parametrize("has_others", [True, False])
@pytest.mark.parametrize("is_loud", [True, False])
@pytest.mark.parametrize("target", [RANGE, "/"])
async def test_only_beside_others_and_only_what_is_dear_or_of_who_is_loud(
    lane: Lane, slow: SlowLane, target: str, *, is_loud: bool, has_others: bool
) -> None:
    shares = Shares()
    credential = credential_of(b"", b"a")
    assert credential is not None
    shares.know(credential, "u1")
    if has_others:
        shares.asks("u2")
    if is_loud:
        shares.charge("u1", Cost(processor=100.0))
        shares._uses["u1"].free_at = shares._clock()
    here: list[Any] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        here.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    caller = Caller()
    door = FairShare(answer, shares, slow)
    with suppress(TimeoutError):
        await asyncio.wait_for(door(asking(target), caller.receive, caller.send), 10)
    goes_there = has_others and (target == RANGE or is_loud)
    assert (len(lane.scopes), len(here)) == ((1, 0) if goes_there else (0, 1))
    assert caller.body == (b"first last" if goes_there else b"here")
