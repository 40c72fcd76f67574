"""`/ws/live/` through a real server and a real socket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis
import uvicorn
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from accounts.services.tokens import issue_token, revoke_token
from config.asgi import application
from market.hot import keys
from market.live import consumers, limits, topics
from market.live import hub as hubs
from market.live.private import private_topic
from tests.conftest import MakeInstrument, eventually
from tests.environment import WORKER

pytestmark = pytest.mark.django_db(transaction=True)
# pub/sub knows no database number: another worker must not talk into this one
SYMBOL = f"LIVE{WORKER}USDT"
TOPIC = f"flow:spot:{SYMBOL}:1m"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    config = uvicorn.Config(
        application,
        port=0,
        ws="websockets-sansio",
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, what="the server")
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    await asyncio.wait_for(task, 60)


@pytest.fixture
async def token(alice: User, make_instrument: MakeInstrument) -> str:
    def prepare() -> str:
        make_instrument(SYMBOL)
        return issue_token(user=alice)

    made: str = await in_database(prepare)()
    return made


def open_socket(address: str, token: str) -> connect:
    return connect(
        f"ws://{address}/ws/live/", additional_headers={"Authorization": f"Token {token}"}
    )


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection, key: str, seconds: float = 30) -> dict[str, Any]:
    """The next message that has `key`."""
    async with asyncio.timeout(seconds):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if key in message:
                return message


async def publish(client: redis.Redis, slot: int, value: int) -> None:
    """Publish until somebody listens."""
    payload = f'{slot}\n"time":{slot},"data":{{"v":{value}}}}}'
    topic = keys.topic("simulator", TOPIC)
    await eventually(lambda: bool(client.publish(topic, payload)), what="a subscriber")


async def test_a_state_reaches_its_subscriber_with_a_sequence_number(
    address: str, token: str, empty_redis: redis.Redis
) -> None:
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[TOPIC])
        await publish(empty_redis, 60, 1)
        assert await hear(socket, "seq") == {"topic": TOPIC, "seq": 1, "time": 60, "data": {"v": 1}}
        await publish(empty_redis, 120, 2)
        assert (await hear(socket, "seq"))["seq"] == 2


async def test_an_unsubscribed_topic_is_silent(
    address: str, token: str, empty_redis: redis.Redis
) -> None:
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[TOPIC])
        await publish(empty_redis, 60, 1)
        await hear(socket, "seq")
        await say(socket, unsubscribe=[TOPIC])
        topic = keys.topic("simulator", TOPIC)
        await eventually(lambda: empty_redis.publish(topic, "60\n{}") == 0, what="silence")


@pytest.mark.parametrize(
    "topic",
    ["flow:spot:NOPE:1m", "flow:spot:SYMBOL:9m", "flow:usdm:SYMBOL:1m", ""],
)
async def test_an_unknown_topic_is_an_error_that_names_it(
    address: str, token: str, topic: str
) -> None:
    topic = topic.replace("SYMBOL", SYMBOL)
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[topic])
        assert (await hear(socket, "error"))["topic"] == topic


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        '{"subscribe": "x"}',
        "[" * 9000,
        '{"subscribe": ["flow:spot:\\u0000:1m"]}',
    ],
    ids=["text", "list", "empty", "word", "deep", "nul"],
)
async def test_nonsense_is_answered_with_an_error(address: str, token: str, text: str) -> None:
    async with open_socket(address, token) as socket:
        await socket.send(text)
        assert "expected" in (await hear(socket, "error"))["error"]
        await hear(socket, "heartbeat")  # and the socket goes on


async def test_heartbeats_come_through_the_whole_path(address: str, token: str) -> None:
    async with open_socket(address, token) as socket:
        beat = await hear(socket, "heartbeat")
        assert abs(beat["heartbeat"] - time.time() * 1000) < 15_000


async def test_a_stranger_is_refused_before_the_handshake_ends(address: str, db: None) -> None:
    with pytest.raises(InvalidStatus):
        async with open_socket(address, "tl_wrong"):
            pytest.fail("accepted")
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://{address}/ws/live/"):
            pytest.fail("accepted")


async def test_the_session_counts_only_from_our_own_origin(
    address: str, token: str, alice: User
) -> None:
    browser = Client()
    await in_database(browser.force_login)(alice)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    url = f"ws://{address}/ws/live/"
    async with connect(url, additional_headers={"Cookie": cookie}, origin=f"http://{address}"):  # type: ignore[arg-type]
        pass
    for origin in ("http://evil.example", None):
        with pytest.raises(InvalidStatus):
            async with connect(url, additional_headers={"Cookie": cookie}, origin=origin):  # type: ignore[arg-type]
                pytest.fail("accepted")


async def test_a_user_has_a_limited_number_of_sockets(
    address: str, token: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LIVE_SOCKETS_PER_USER", 1)
    async with open_socket(address, token):
        with pytest.raises(InvalidStatus):
            async with open_socket(address, token):
                pytest.fail("accepted")
    await eventually(lambda: f"u:{alice.pk}" not in limits._held, what="the socket's end")
    async with open_socket(address, token):
        pass


async def test_sockets_of_other_web_processes_count_until_those_are_gone(
    address: str, token: str, alice: User, empty_redis: redis.Redis
) -> None:
    other = f"{limits.PROCESSES}:another"
    empty_redis.sadd(limits.PROCESSES, "another")
    empty_redis.hset(other, f"u:{alice.pk}", str(settings.LIVE_SOCKETS_PER_USER))
    with pytest.raises(InvalidStatus):
        async with open_socket(address, token):
            pytest.fail("accepted")
    empty_redis.delete(other)  # it was killed, and has been silent for long enough
    async with open_socket(address, token):
        mine: Any = empty_redis.hgetall(f"{limits.PROCESSES}:{limits.PROCESS}")
        assert mine[f"u:{alice.pk}".encode()] == b"1"
    own = f"{limits.PROCESSES}:{limits.PROCESS}"
    await eventually(lambda: not empty_redis.exists(own), what="the socket to be given back")


async def test_a_client_that_shouts_is_cut(
    address: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LIVE_MESSAGES_PER_10S", 5)
    async with open_socket(address, token) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            for number in range(100):
                await say(socket, ack=number)
            async with asyncio.timeout(60):
                while True:
                    await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4408


async def test_a_frame_too_large_is_cut_whether_text_or_binary(address: str, token: str) -> None:
    for frame in ("x" * 20_000, b"x" * 20_000):
        async with open_socket(address, token) as socket:
            await socket.send(frame)
            with pytest.raises(ConnectionClosed) as closed:
                async with asyncio.timeout(60):
                    while True:  # a heartbeat may come before the end
                        await socket.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4408


async def test_many_topics_at_once_are_few_questions_to_the_database(
    address: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = 0, topics._read_known

    def read() -> set[tuple[str, str]]:
        nonlocal asked
        asked += 1
        return real()

    monkeypatch.setattr(topics, "_read_known", read)
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[f"flow:spot:NOPE{n}:1m" for n in range(20)])
        for _ in range(20):
            assert "is not followed here" in (await hear(socket, "error"))["error"]
    assert asked < 5


async def test_a_client_that_does_not_acknowledge_is_paused_and_gets_the_newest_states(
    address: str, token: str, empty_redis: redis.Redis
) -> None:
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[TOPIC])
        for number in range(1, 201):
            await publish(empty_redis, 60 * number, number)
        heard = [await hear(socket, "seq") for _ in range(60)]
        with pytest.raises(TimeoutError):
            await hear(socket, "seq", 0.5)
        await publish(empty_redis, 60 * 200, 999)
        await say(socket, ack=heard[-1]["seq"])
        newest = {}
        while 200 * 60 not in newest:
            message = await hear(socket, "seq")
            newest[message["time"]] = message["data"]["v"]
            await say(socket, ack=message["seq"])
        assert newest[200 * 60] == 999


async def test_a_lost_redis_connection_ends_in_a_resync(
    address: str, token: str, empty_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "RECONNECT_SECONDS", 0.1)
    async with open_socket(address, token) as socket:
        await say(socket, subscribe=[TOPIC])
        await publish(empty_redis, 60, 1)
        await hear(socket, "seq")
        empty_redis.client_kill_filter(_type="pubsub")
        assert (await hear(socket, "resync"))["topic"] == TOPIC
        await publish(empty_redis, 120, 2)
        assert (await hear(socket, "seq"))["data"] == {"v": 2}


def signed_in_cookie(user: User) -> tuple[Client, str]:
    browser = Client()
    browser.force_login(user)
    return browser, browser.cookies["sessionid"].value


async def with_cookie(address: str, cookie: str) -> ClientConnection:
    headers = {"Cookie": f"sessionid={cookie}"}
    return await connect(
        f"ws://{address}/ws/live/",
        additional_headers=headers,
        origin=f"http://{address}",  # type: ignore[arg-type]
    )


async def closed_with(socket: ClientConnection, seconds: float) -> int:
    async with asyncio.timeout(seconds):
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def first_heartbeat(socket: ClientConnection) -> None:
    async with asyncio.timeout(60):
        while "heartbeat" not in json.loads(await socket.recv()):
            pass


async def test_signing_out_closes_this_sign_ins_sockets_and_no_others(
    address: str, token: str, alice: User
) -> None:
    browser, cookie = await in_database(signed_in_cookie)(alice)
    _, other_cookie = await in_database(signed_in_cookie)(alice)
    mine, other = await with_cookie(address, cookie), await with_cookie(address, other_cookie)
    await first_heartbeat(mine)  # the hub has subscribed
    await in_database(browser.post)("/accounts/logout/")
    assert await closed_with(mine, 30) == 4401
    # all sockets heard of it at the same moment: one that still answers stays
    await say(other, subscribe=["nothing"])
    assert (await hear(other, "error"))["topic"] == "nothing"
    await other.close()


async def test_a_revoked_token_closes_its_sockets(address: str, token: str, alice: User) -> None:
    socket = await connect(
        f"ws://{address}/ws/live/", additional_headers={"Authorization": f"Token {token}"}
    )
    await first_heartbeat(socket)
    token_id = await in_database(lambda: alice.api_tokens.get().pk)()
    assert await in_database(revoke_token)(user=alice, token_id=token_id)
    assert await closed_with(socket, 30) == 4401


async def test_a_socket_asks_for_itself_whether_its_sign_in_stands(
    address: str, token: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.2)
    _, cookie = await in_database(signed_in_cookie)(alice)
    socket = await with_cookie(address, cookie)
    alice.set_password("another-secret-2")  # ends every session of hers, without a hint
    await in_database(alice.save)()
    assert await closed_with(socket, 30) == 4401


async def test_an_idle_socket_lives(address: str, token: str) -> None:
    socket = await connect(
        f"ws://{address}/ws/live/", additional_headers={"Authorization": f"Token {token}"}
    )
    beats = 0
    async with asyncio.timeout(90):
        while beats < 5:  # 20 s and more without a word of ours
            beats += "heartbeat" in json.loads(await socket.recv())
    await socket.close()


async def test_each_user_has_an_own_account_topic(
    address: str, token: str, bob: User, empty_redis: redis.Redis
) -> None:
    """What is told to bob reaches bob's `account` only, and nobody can ask for it by its name."""
    bobs = await in_database(issue_token)(user=bob)
    async with open_socket(address, token) as alice_hears, open_socket(address, bobs) as bob_hears:
        for socket in (alice_hears, bob_hears):
            await say(socket, subscribe=["account", "pnl"])
        await say(alice_hears, subscribe=[f"account:{bob.pk}", f"pnl:{bob.pk}"])
        for name in ("account", "pnl"):
            assert (await hear(alice_hears, "error"))["topic"] == f"{name}:{bob.pk}"
        await eventually(lambda: in_database(is_told)(bob.pk), what="a subscriber")
        found = await hear(bob_hears, "seq")
        assert (found["topic"], found["data"]) == ("account", {"secret": "bobs"})
        with pytest.raises(TimeoutError):
            await hear(alice_hears, "seq", 1)


def is_told(user_id: int) -> bool:
    """Whether somebody heard it."""
    topic = keys.topic("simulator", private_topic("account", user_id))
    client = redis.Redis.from_url(settings.REDIS_URL)
    count: Any = client.publish(topic, '1\n"time":1,"data":{"secret":"bobs"}}')
    client.close()
    return bool(count)
