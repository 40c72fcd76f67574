"""A user who takes most of a process waits for the others; nobody else ever does."""

import asyncio
import json
import time
from typing import Any

import pytest
from django.test import Client

from accounts import shares as sharing
from accounts.models import User
from accounts.services.tokens import issue_token
from accounts.shares import (
    CALM_SECONDS,
    Cost,
    Shares,
    credential_of,
    give_way,
    shares,
)
from config.doors import fairness
from config.doors.fairness import FairShare, Refusals
from tests.conftest import eventually
from tests.security.asgi import ask
from tests.security.conftest import Clock, work


class Works:
    """An application that notes who is at work, and takes its time."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0
        self.goes_on = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.goes_on.wait()
        self.now -= 1
        self.done += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def loud(known: Shares, clock: Clock) -> Shares:
    """The token `loud` is u1's, who is loud beside u2."""
    known.know(credential_of(b"Token loud", b"") or b"", "u1")
    known.know(credential_of(b"", b"calm") or b"", "u2")
    work(known, clock, "u1", 0.5, 0.5)
    clock.now += known.pause("u1")
    known.asks("u2")
    assert known.is_loud("u1")
    return known


LOUD = [(b"authorization", b"Token loud")]
CALM = [(b"cookie", b"csrftoken=x; sessionid=calm")]


async def test_a_loud_user_is_let_in_one_at_a_time(loud: Shares) -> None:
    works = Works()
    door = FairShare(works, loud)
    asking = [asyncio.create_task(ask("/api/bars", headers=LOUD, app=door)) for _ in range(4)]
    calm = [asyncio.create_task(ask("/api/bars", headers=CALM, app=door)) for _ in range(3)]
    await eventually(lambda: works.now == 4, what="one of the loud, and all of the others")
    works.goes_on.set()
    answers = await asyncio.gather(*asking, *calm)
    assert {answer.status for answer in answers} == {200}
    assert works.most == 4


async def test_too_many_at_once_and_too_long_are_refused(
    loud: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(fairness, "REFUSED_AFTER_SECONDS", 0.1)
    works = Works()
    door = FairShare(works, loud)
    count = fairness.MOST_WAITING_LOUD + 3
    asking = [asyncio.create_task(ask("/api/bars", headers=LOUD, app=door)) for _ in range(count)]
    await eventually(lambda: sum(task.done() for task in asking) == count - 1, what="refusals")
    refused = [task.result() for task in asking if task.done()]
    assert {answer.status for answer in refused} == {429}
    assert json.loads(refused[0].body)["code"] == "too_much"
    assert int(refused[0].headers["retry-after"]) >= 1
    works.goes_on.set()
    await asyncio.gather(*asking)
    assert works.done == 1


class Refuses:
    """An application that tells everybody to come again in so many seconds."""

    def __init__(self, seconds: int, body: bytes = b'{"code": "throttled"}') -> None:
        self.seconds = seconds
        self.body = body
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        kind = (b"content-type", b"application/json")
        again = (b"retry-after", str(self.seconds).encode())
        cookie = (b"set-cookie", b"sessionid=somebody")
        share = (b"RateLimit", f'"heavy";r=0;t={self.seconds}'.encode())
        headers = [kind, again, cookie, share] if self.seconds else [kind, cookie]
        status = 429 if self.seconds else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})


async def test_who_comes_again_too_soon_is_told_so_at_the_door(
    loud: Shares, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "REFUSED_AFTER_SECONDS", 0.0)
    refuses = Refuses(3)
    door = FairShare(refuses, loud)
    door._refusals = Refusals(clock)
    loud.know(credential_of(b"Token calm", b"") or b"", "u1")
    headers = [(b"cookie", b"sessionid=calm")]
    loud.asks("u1")
    loud.asks("u3")
    answers = [await ask("/api/fills", headers=headers, app=door) for _ in range(5)]
    assert refuses.asked == 1
    assert {answer.status for answer in answers} == {429}
    assert {answer.body for answer in answers} == {refuses.body}
    assert {answer.headers["retry-after"] for answer in answers} == {"3"}
    assert {answer.headers["ratelimit"] for answer in answers} == {'"heavy";r=0;t=3'}
    assert "set-cookie" not in answers[-1].headers, "what it was given is nobody's second time"
    await ask("/api/trades", headers=headers, app=door)
    await ask("/api/fills", method="POST", headers=headers, app=door)
    await ask("/api/fills", headers=[(b"cookie", b"sessionid=another")], app=door)
    assert refuses.asked == 4, "nothing else is refused by it, and nobody else"
    clock.now += 2
    later = await ask("/api/fills", headers=headers, app=door)
    assert later.headers["ratelimit"] == '"heavy";r=0;t=1'
    clock.now += 2
    refuses.seconds = 0
    again = [await ask("/api/fills", headers=headers, app=door) for _ in range(2)]
    assert [answer.status for answer in again] == [200, 200]


async def test_two_that_are_refused_at_once_are_told_one_answer_each(
    loud: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "REFUSED_AFTER_SECONDS", 0.0)
    body, both = b'{"code": "throttled"}', asyncio.Barrier(2)

    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"retry-after", b"60")]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await both.wait()  # the one begins to answer before the other has ended
        await send({"type": "http.response.body", "body": body})

    door = FairShare(refuses, loud)
    loud.asks("u1")
    loud.asks("u3")
    await asyncio.gather(*(ask("/api/fills", headers=CALM, app=door) for _ in range(2)))
    assert (await ask("/api/fills", headers=CALM, app=door)).body == body


async def test_a_long_refusal_is_not_kept(loud: Shares, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses = Refuses(60, b"x" * (fairness.LONGEST_TOLD + 1))
    door = FairShare(refuses, loud)
    loud.asks("u1")
    for _ in range(2):
        assert (await ask("/api/fills", headers=CALM, app=door)).status == 429
    assert refuses.asked == 2
    assert not door._refusals._told


async def test_beside_others_a_few_of_one_user_are_at_work_at_once(known: Shares) -> None:
    known.know(credential_of(b"", b"calm") or b"", "u2")
    known.asks("u1")
    works = Works()
    door = FairShare(works, known)
    asking = [asyncio.create_task(ask("/", headers=CALM, app=door)) for _ in range(8)]
    unknown = [asyncio.create_task(ask("/", headers=LOUD, app=door)) for _ in range(8)]
    orders = [
        asyncio.create_task(ask("/api/orders", method="POST", headers=CALM, app=door))
        for _ in range(3)
    ]
    expected = 2 * fairness.MOST_AT_ONCE + 3
    await eventually(lambda: works.now == expected, what="a few of each, and all orders")
    works.goes_on.set()
    answers = await asyncio.gather(*asking, *unknown, *orders)
    assert {answer.status for answer in answers} == {200}
    assert works.most == expected
    assert not door._rooms, "nothing is left of who has gone"


async def test_whose_requests_stand_in_the_queue_is_loud(
    known: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "CROWDED_SECONDS", 0.1)
    known.know(credential_of(b"", b"calm") or b"", "u2")
    known.asks("u1")
    works = Works()
    door = FairShare(works, known)
    asking = [asyncio.create_task(ask("/", headers=CALM, app=door)) for _ in range(4)]
    await eventually(lambda: works.now == fairness.MOST_AT_ONCE, what="a few at work")
    assert not known.is_loud("u2"), "a page asks for several things at once"
    await eventually(lambda: door._rooms["u2"].is_crowded, what="a queue that stays")
    asking.append(asyncio.create_task(ask("/", headers=CALM, app=door)))
    await eventually(lambda: known.is_loud("u2"), what="who queues on")
    works.goes_on.set()
    assert {answer.status for answer in await asyncio.gather(*asking)} == {200}


async def test_who_is_alone_is_not_queued(known: Shares) -> None:
    known.know(credential_of(b"", b"calm") or b"", "u2")
    known.asks("u2")
    works = Works()
    door = FairShare(works, known)
    asking = [asyncio.create_task(ask("/", headers=CALM, app=door)) for _ in range(8)]
    await eventually(lambda: works.now == 8, what="all at work")
    works.goes_on.set()
    assert {answer.status for answer in await asyncio.gather(*asking)} == {200}


async def test_a_refusal_comes_late_to_who_asks_again_at_once(
    loud: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "MOST_WAITING_LOUD", 0)
    monkeypatch.setattr(fairness, "MOST_REFUSED", 1)
    monkeypatch.setattr(fairness, "REFUSED_AFTER_SECONDS", 0.3)
    door = FairShare(Works(), loud)
    asking = [asyncio.create_task(ask("/", headers=LOUD, app=door)) for _ in range(2)]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    assert [task.done() for task in asking] == [False, True], "more than that are told at once"
    assert [answer.status for answer in await asyncio.gather(*asking)] == [429, 429]


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_long_request_rests_beside_others(
    known: Shares, monkeypatch: pytest.MonkeyPatch, is_alone: bool
) -> None:
    rests: list[float] = []
    monkeypatch.setattr(time, "sleep", rests.append)
    known.asks("u1" if is_alone else "u2")
    give_way(known)
    assert not rests, "outside a request"
    sharing.works_for("u1")
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        pass
    give_way(known)
    sharing.works_for(None)
    if is_alone:
        assert not rests
    else:
        expected = 0.02 * (1 / sharing.LONG_BESIDE_OTHERS - 1)
        assert rests == [pytest.approx(expected, rel=0.5)]


async def test_an_order_is_never_late(loud: Shares) -> None:
    works = Works()
    works.goes_on.set()
    loud.charge("u1", Cost(100))
    door = FairShare(works, loud)
    answer = await ask("/api/orders", method="POST", headers=LOUD, app=door)
    assert answer.status == 200


async def test_who_goes_while_waiting_gives_the_turn_back(loud: Shares) -> None:
    works = Works()
    door = FairShare(works, loud)
    first = asyncio.create_task(ask("/api/bars", headers=LOUD, app=door))
    second = asyncio.create_task(ask("/api/bars", headers=LOUD, app=door))
    third = asyncio.create_task(ask("/api/bars", headers=LOUD, app=door))
    await eventually(
        lambda: works.now == 1 and door._rooms["u1"].waiting == 2, what="two that wait"
    )
    second.cancel()
    works.goes_on.set()
    assert (await first).status == 200
    assert (await third).status == 200


@pytest.mark.django_db
def test_what_a_request_takes_is_charged_to_its_user(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged: dict[str, Cost] = {}
    monkeypatch.setattr(shares, "charge", charged.__setitem__)
    token = issue_token(user=alice)
    assert Client(headers={"Authorization": f"Token {token}"}).get("/api/fills").status_code == 200
    assert charged.keys() == {f"u{alice.pk}"}
    cost = charged[f"u{alice.pk}"]
    assert 0 < cost.processor < 5
    assert 0 < cost.database < 5
    assert shares.whose(credential_of(f"Token {token}".encode(), b"") or b"") == f"u{alice.pk}"


@pytest.mark.django_db
def test_whom_the_door_did_not_know_is_asked_to_come_again(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "is_loud", lambda who: who == f"u{alice.pk}")
    monkeypatch.setattr(shares, "pause", lambda who: 7.2)
    answer = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"}).get("/api/fills")
    assert (answer.status_code, answer["Retry-After"]) == (429, "8")


def test_a_queue_that_comes_again_and_again_is_loud_and_a_pages_is_not(
    known: Shares, clock: Clock
) -> None:
    """Spells of waiting that come again and again, and a page every two seconds."""
    known.asks("u2")
    for _ in range(6):
        clock.now += 2.0
        known.asks("u2")
        known.waited("u1", 0.3)
    assert not known.is_loud("u1")
    for _ in range(12):
        clock.now += 0.5
        known.asks("u2")
        known.waited("u1", 0.35)
    assert known.is_loud("u1")
    clock.now += CALM_SECONDS + 0.1
    known.asks("u2")
    assert not known.is_loud("u1")
