"""Frames a second through the whole collector, against two references in the same run.

  make bench-ingest

The mixed capture (trades, best prices, depth) is sent by another process as fast as the reader
takes it. (a) a bare picows loop that decodes each frame with msgspec, (b) python-binance's own
socket manager, (c) the collector: socket, decode, cursor, bars, both units, flush to Redis and 1 s
bars to PostgreSQL. The clock stops at the last frame (c: when its bars are flushed). Needs the
captures in CAPTURES_DIR.
"""

import asyncio
import gzip
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

import django
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(BINANCE="simulator", DATABASE_POOL="false", LOG_LEVEL="error")
django.setup()

import msgspec  # noqa: E402
from binance import AsyncClient, BinanceSocketManager  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from market.binance.connection import Sink  # noqa: E402
from market.binance.governor import Governor, Limit  # noqa: E402
from market.binance.rest import SpotRest  # noqa: E402
from market.collector.collector import Collector  # noqa: E402
from market.collector.tapes import Outside  # noqa: E402
from market.hot import keys, store  # noqa: E402
from market.hot.codec import State  # noqa: E402
from market.instruments import InstrumentKey  # noqa: E402
from market.models import TapeState  # noqa: E402
from market.services.following import find_followed, follow  # noqa: E402
from tests.captures import need  # noqa: E402

NAME = "spot_btcusdt_20240808.gz"
REPEATS = 16
ROUNDS = 3
FIRST_ID = 3735683259
KEY = InstrumentKey("simulator", "spot", "BTCUSDT")


def load(only_trades: bool) -> list[bytes]:
    """The capture REPEATS times over, ids and times going on, as spot sends them (us)."""
    with gzip.open(need(NAME), "rb") as lines:
        frames = [line.split(b" ", 1)[1].strip() for line in lines]
    frames = [frame for frame in frames if frame.startswith(b'{"stream"')]
    if only_trades:
        frames = [frame for frame in frames if b"@trade" in frame[:40]]
    made: list[bytes] = []
    for repeat in range(REPEATS):
        for frame in frames:
            if b"@trade" in frame[:40]:
                body = msgspec.json.decode(frame)
                data = body["data"]
                data["t"] += repeat * 9757
                data["T"] = (data["T"] + repeat * 360_000) * 1000
                data["E"] = (data["E"] + repeat * 360_000) * 1000
                frame = msgspec.json.encode(body)
            made.append(frame)
    return made


def serve(frames: list[bytes], port: int, ready: Event) -> None:
    """Another process: everything to each client, as fast as it reads."""

    class Sender(WSListener):
        def __init__(self) -> None:
            super().__init__()
            self.free = asyncio.Event()
            self.free.set()

        def on_ws_connected(self, transport: WSTransport) -> None:
            self.task = asyncio.create_task(self.send(transport))

        def pause_writing(self) -> None:
            self.free.clear()

        def resume_writing(self) -> None:
            self.free.set()

        async def send(self, transport: WSTransport) -> None:
            await asyncio.sleep(0.2)
            for number, frame in enumerate(frames):
                transport.send(WSMsgType.TEXT, frame)
                if number % 64 == 0:
                    await self.free.wait()
                    if number % 1024 == 0:
                        await asyncio.sleep(0)

    async def run() -> None:
        server = await ws_create_server(lambda _: Sender(), "127.0.0.1", port)
        ready.set()
        await server.serve_forever()

    uvloop.run(run())


async def bare(port: int, count: int, last_id: int) -> float:
    """(a) picows and msgspec, nothing else."""
    done = asyncio.get_running_loop().create_future()

    class Trade(msgspec.Struct):
        e: str = ""
        t: int = 0
        p: str = ""
        q: str = ""
        T: int = 0
        m: bool = False

    class Frame(msgspec.Struct):
        stream: str
        data: Trade

    decode = msgspec.json.Decoder(Frame).decode

    class Reader(WSListener):
        seen = 0
        started = 0.0

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            if not self.seen:
                self.started = time.perf_counter()
            decode(frame.get_payload_as_memoryview())
            self.seen += 1
            if self.seen == count:
                done.set_result(time.perf_counter() - self.started)

    transport, _ = await ws_connect(Reader, f"ws://127.0.0.1:{port}/stream")
    seconds: float = await done
    transport.disconnect()
    return seconds


async def socket_manager(port: int, count: int, last_id: int) -> float:
    """(b) python-binance; its queue is widened, since it dies when 100 frames wait."""
    client = AsyncClient()
    manager = BinanceSocketManager(client, max_queue_size=10_000_000)
    manager.STREAM_URL = f"ws://127.0.0.1:{port}/"
    async with manager.multiplex_socket(["btcusdt@trade"]) as socket:
        await socket.recv()
        started = time.perf_counter()
        for _ in range(count - 1):
            await socket.recv()
        seconds = time.perf_counter() - started
    await client.close_connection()
    return seconds


async def collector(port: int, count: int, last_id: int) -> float:
    """(c) the whole of ours."""
    client = store.connect(settings.REDIS_URL)
    await client.flushdb()
    await asyncio.to_thread(_forget_bars)
    begun = State(FIRST_ID - 1, 0, 0, 0, 0, 1_000_000, None)
    await store.as_async(client.hset(keys.state(KEY), mapping=begun.fields()))
    governor = Governor(client, Limit("bench", 10**9), 100)
    rest = SpotRest("http://127.0.0.1:1", governor)  # nobody answers: nothing must be missing
    outside = Outside(
        store.HotStore(client), rest, f"ws://127.0.0.1:{port}", lambda _: find_followed("spot")
    )
    ours = Collector("bench", "bench", outside)
    ours.renew_once = _no_lease  # type: ignore[method-assign]
    task = asyncio.create_task(ours.run())
    [stream] = ours.streams.streams
    while not stream.sinks:
        await asyncio.sleep(0.001)
    started = 0.0

    def first(name: bytes, sink: Sink, frame: bytes) -> None:
        nonlocal started
        started = started or time.perf_counter()
        stream._routes[name] = sink
        sink(frame)

    for name, sink in list(stream._routes.items()):
        stream._routes[name] = partial(first, name, sink)
    [tape] = ours.tapes.values()
    while tape.writer.cursor.last_id != last_id or tape.writer.is_dirty:
        await asyncio.sleep(0.002)
    seconds = time.perf_counter() - started
    ours.stop.set()
    await task
    await client.aclose()
    return seconds


def _forget_bars() -> None:
    """So that no round goes on from the one before."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE market_second_bar")
    TapeState.objects.all().delete()
    connection.close()


async def _no_lease() -> None:
    return


Reader = Callable[[int, int, int], Coroutine[Any, Any, float]]


def measure(label: str, frames: list[bytes], port: int) -> None:
    ready = multiprocessing.Event()
    server = multiprocessing.Process(target=serve, args=(frames, port, ready), daemon=True)
    server.start()
    ready.wait()
    trades = sum(b"@trade" in frame[:40] for frame in frames)
    last_id = FIRST_ID - 1 + trades
    readers: list[tuple[str, Reader]] = [
        ("bare picows + msgspec", bare),
        ("python-binance socket manager", socket_manager),
        ("collector", collector),
    ]
    rates: dict[str, list[float]] = {name: [] for name, _ in readers}
    for _ in range(ROUNDS):
        for name, reader in readers:
            rates[name].append(len(frames) / uvloop.run(reader(port, len(frames), last_id)))
    server.terminate()
    ours = statistics.median(rates["collector"])
    print(f"\n{label}: {len(frames)} frames, {trades} trades, median of {ROUNDS}")
    for name, figures in rates.items():
        rate = statistics.median(figures)
        print(f"  {name:<32}{rate:>12,.0f} frames/s   collector is {ours / rate:6.2f} times that")


def main() -> int:
    call_command("migrate", verbosity=0)
    follow(key=KEY)
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores")
    measure("mixed capture", load(only_trades=False), 21_901)
    measure("trade frames alone", load(only_trades=True), 21_902)
    return 0


if __name__ == "__main__":
    sys.exit(main())
