"""Market streams over real sockets: addresses, limits, the end of a connection."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from simulator.app import Options
from simulator.connection import Lifetime
from tests.simulator.conftest import Serve, end_faults, post


async def hear(socket: ClientConnection, count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def is_silent(socket: ClientConnection, seconds: float = 1.0) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await socket.recv()
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(
    ("path", "stream", "is_served"),
    [
        ("market", "btcusdt@aggTrade", True),
        ("market", "btcusdt@kline_1m", True),
        ("market", "btcusdt@markPrice@1s", True),
        ("market", "!markPrice@arr@1s", True),
        ("market", "!ticker@arr", True),
        ("market", "btcusdt@bookTicker", False),
        ("public", "btcusdt@bookTicker", True),
        ("public", "!bookTicker", True),
        ("public", "btcusdt@depth@100ms", True),
        ("public", "btcusdt@depth10@100ms", True),
        ("public", "btcusdt@aggTrade", False),
        ("private", "btcusdt@aggTrade", False),
    ],
)
async def test_futures_serve_a_category_an_address_and_are_silent_otherwise(
    serve: Serve, path: str, stream: str, is_served: bool
) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/{path}/ws") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [stream], "id": 1}))
        assert await hear(socket) == [{"result": None, "id": 1}]  # taken in either case
        assert await is_silent(socket, 1.5) == (not is_served)


@pytest.mark.parametrize(
    "stream", ["!ticker@arr", "btcusdt@nothing", "nope@trade", "btcusdt@kline_7m"]
)
async def test_streams_that_do_not_exist_are_taken_and_never_speak(
    serve: Serve, stream: str
) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws/{stream}") as socket:
        assert await is_silent(socket, 1.5)


SPOT_KEYS = {
    "btcusdt@miniTicker": "eEscohlvq",
    "btcusdt@ticker": "eEspPwxcQbBaAohlvqOCFLn",
    "btcusdt@ticker_4h": "eEspPwcohlvqOCFLn",
    "btcusdt@avgPrice": "eEsiwT",
    "btcusdt@depth": "eEsUuba",
}


@pytest.mark.parametrize("stream", SPOT_KEYS)
async def test_spot_frames_have_binances_keys(serve: Serve, stream: str) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws/{stream}") as socket:
        [frame] = await hear(socket)
    assert set(frame) == set(SPOT_KEYS[stream])


@pytest.mark.parametrize("stream", ["!miniTicker@arr", "!ticker_1h@arr"])
async def test_arrays_hold_the_symbols_that_traded(serve: Serve, stream: str) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws/{stream}") as socket:
        rows: Any = (await hear(socket))[0]
    assert [row["s"] for row in rows] == ["BTCUSDT"]


async def test_microseconds_are_spots_alone(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/market/ws/btcusdt@aggTrade?timeUnit=MICROSECOND") as socket:
        [frame] = await hear(socket)
    assert frame["T"] < 10**14
    assert (frame["nq"], frame["st"]) == (frame["q"], 1)


async def test_a_partial_book_has_no_symbol(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws/btcusdt@depth5@100ms") as socket:
        [frame] = await hear(socket)
    assert list(frame) == ["lastUpdateId", "bids", "asks"]
    assert (len(frame["bids"]), len(frame["asks"])) == (5, 5)


async def test_the_sixth_message_of_a_second_ends_the_connection(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws") as socket:
        for number in range(6):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        with pytest.raises(ConnectionClosed) as closed:
            await hear(socket, 7)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_more_than_1024_streams_are_refused(serve: Serve) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws", max_size=None) as socket:
        names = [f"s{number}@trade" for number in range(1025)]
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        [answer] = await hear(socket)
    assert answer["code"] == 2


@pytest.mark.parametrize("request_id", [2**63, "x" * 37, True, 1.5, {}])
async def test_an_id_that_is_none_is_refused(serve: Serve, request_id: object) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}/ws") as socket:
        await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": request_id}))
        [answer] = await hear(socket)
    assert answer["code"] == 2


async def test_too_many_attempts_are_refused(serve: Serve) -> None:
    simulator = await serve(options=Options(attempts=2))
    async with connect(f"{simulator.ws}/ws"), connect(f"{simulator.ws}/ws"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{simulator.ws}/ws")
    assert refused.value.response.status_code == 429


async def test_pings_come_and_a_client_that_does_not_answer_is_closed(serve: Serve) -> None:
    simulator = await serve(options=Options(Lifetime(ping_every=0.2, pong_within=0.5)))
    async with connect(f"{simulator.ws}/ws") as alive:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        async with asyncio.timeout(30):
            heard = await reader.read()  # until the server has had enough
        assert b"\x89" in heard  # pings
        assert b"Pong timeout" in heard
        await alive.ping()  # the client that answers is still welcome
        writer.close()


async def test_a_life_ends(serve: Serve) -> None:
    simulator = await serve(options=Options(Lifetime(life=0.3)))
    async with connect(f"{simulator.ws}/ws") as socket:
        with pytest.raises(ConnectionClosed):
            await hear(socket)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/ws", lambda f: f["e"] == "serverShutdown"),
        ("/stream", lambda f: f["stream"] == "!serverShutdown" and f["data"]["E"] > 0),
    ],
)
async def test_a_shutdown_is_announced_before_it_comes(
    serve: Serve, path: str, wanted: Any
) -> None:
    simulator = await serve()
    async with connect(f"{simulator.ws}{path}") as socket:
        await post(simulator, "/simulator/faults/shutdown", seconds=0.3)
        [frame] = await hear(socket)
        assert wanted(frame)
        with pytest.raises(ConnectionClosed):
            await hear(socket)


async def test_a_port_of_futures_alone_is_silent_without_a_category(serve: Serve) -> None:
    simulator = await serve()
    simulator.sockets.futures_port = simulator.port
    for stream, is_served in (("btcusdt@bookTicker", True), ("btcusdt@aggTrade", False)):
        async with connect(f"{simulator.ws}/ws/{stream}") as socket:
            assert await is_silent(socket) == (not is_served)


async def test_refused_connections(serve: Serve) -> None:
    simulator = await serve()
    await post(simulator, "/simulator/faults/refuse", seconds=60)
    with pytest.raises((ConnectionClosed, InvalidMessage, InvalidStatus, OSError)):
        await connect(f"{simulator.ws}/ws")
    end_faults(simulator)
    async with connect(f"{simulator.ws}/ws/btcusdt@trade") as socket:
        await hear(socket)
