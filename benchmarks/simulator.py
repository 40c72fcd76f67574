"""Frames a second that the simulator gives one client, against a bare server in the same run.

  make bench-simulator

Each server is a process of its own; what counts is frames per second of that process's CPU time,
so a slower client or a busy machine changes little. (a) aiohttp's `send_str`, one ready-made
frame after the other, nothing else; (b) the simulator: a made-up market at 300 times the usual
pace, its book, its candles, and the frames of `trade`, `aggTrade`, `bookTicker`, `depth@100ms` and
`kline_1m`.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSTransport, ws_connect

SECONDS = 6.0
ROUNDS = 3
STREAMS = "/".join(
    f"btcusdt@{kind}" for kind in ("trade", "aggTrade", "bookTicker", "depth@100ms", "kline_1m")
)
FRAME = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1763694000123456,"s":"BTCUSDT",'
    '"t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1763694000122456,"m":true,"M":true}}'
)


class Counter(WSListener):
    def __init__(self) -> None:
        super().__init__()
        self.frames = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.frames += 1


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(words: list[str], port: int) -> tuple[float, float]:
    """Frames per second of the server's CPU time, and per second of the clock."""
    server = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    try:
        transport, listener = await connect(f"ws://127.0.0.1:{port}/stream?streams={STREAMS}")
        await asyncio.sleep(2.0)
        frames, cpu, began = listener.frames, cpu_seconds(server.pid), time.perf_counter()
        await asyncio.sleep(SECONDS)
        frames = listener.frames - frames
        cpu = cpu_seconds(server.pid) - cpu
        seconds = time.perf_counter() - began
        transport.disconnect()
        return frames / cpu, frames / seconds
    finally:
        server.terminate()
        server.wait(10)


async def connect(url: str) -> tuple[WSTransport, Counter]:
    for _ in range(100):
        with contextlib.suppress(OSError):
            transport, listener = await ws_connect(Counter, url)
            assert isinstance(listener, Counter)
            return transport, listener
        await asyncio.sleep(0.1)
    raise SystemExit(f"nobody listens at {url}")


async def serve_bare(port: int) -> None:
    """(a): as fast as the client takes it."""

    async def stream(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                for _ in range(1000):
                    await response.send_str(FRAME)
                await asyncio.sleep(0)
        return response

    app = web.Application()
    app.add_routes([web.get("/stream", stream)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def main() -> None:
    print(f"{'':24}{'frames/s of CPU':>18}{'frames/s':>12}{'ratio':>8}")
    for number in range(ROUNDS):
        port = free_port()
        bare, bare_clock = await measure(["-m", "benchmarks.simulator", str(port)], port)
        port = free_port()
        words = ["-m", "simulator", "--port", str(port), "--symbols", "BTCUSDT", "--pace", "300"]
        full, full_clock = await measure(words, port)
        print(f"round {number + 1}: bare aiohttp   {bare:18,.0f}{bare_clock:12,.0f}")
        print(f"         simulator      {full:18,.0f}{full_clock:12,.0f}{full / bare:8.2f}")


if __name__ == "__main__":
    uvloop.run(serve_bare(int(sys.argv[1])) if len(sys.argv) > 1 else main())
