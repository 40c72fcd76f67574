"""Connections and calls that fail in odd ways."""

import asyncio
import base64
import hashlib

import pytest

from market.binance.breaker import FIRST_PAUSE, Breaker
from market.binance.stream import MarketStream, Times
from tests.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_replacement_that_hangs_up_is_not_taken_for_a_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first connection stands; every later one is dropped in its handshake."""
    accepted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        if accepted > 1:
            writer.close()
            return
        head = await reader.readuntil(b"\r\n\r\n")
        [key] = [
            line.split(b": ")[1]
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        ]
        # RFC 6455 wants SHA-1
        magic = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(magic) + b"\r\n\r\n"
        )
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    announced: list[object] = []
    times = Times(life=0.3, jitter=0, overlap=0.2)
    stream = MarketStream(f"ws://127.0.0.1:{port}/stream?streams=", announced.append, times)
    stream.subscribe({b"x@trade": lambda frame: None})
    stop = asyncio.Event()
    running = asyncio.create_task(stream.run(stop))
    await eventually(
        lambda: "replacement failed" in caplog.text or stream.replacements > 0,
        what="what becomes of a replacement that is dropped",
    )
    assert accepted >= 2
    assert stream.is_connected
    assert (stream.replacements, len(announced)) == (0, 1)
    stop.set()
    await asyncio.wait_for(running, 60)
    server.close()


def test_calls_that_fail_together_open_the_breaker_once() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(12):
        breaker.failed()
    now[0] = FIRST_PAUSE
    assert not breaker.is_open
