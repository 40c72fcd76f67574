"""From publish to receipt: 1000 signed-in sockets x 3 topics x 4 Hz, 20 of them stalled, 20 slow.

  make bench-fanout

The live hub on uvicorn and on daphne, against a plain Channels group (pub/sub layer) on uvicorn, in
one run; the clients are another process. A state is lost when a healthy socket never gets it.
"""

import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import django
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(BINANCE="simulator", DATABASE_POOL="false", LOG_LEVEL="error")
for limit in ("USER", "IP", "PROCESS"):
    os.environ[f"LIVE_SOCKETS_PER_{limit}"] = "5000"
django.setup()

import redis.asyncio as redis  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services.tokens import issue_token  # noqa: E402
from market.following import follow  # noqa: E402
from market.hot import keys  # noqa: E402
from market.instruments import InstrumentKey  # noqa: E402

SOCKETS, STALLED, SLOW = 1000, 20, 20
TOPICS = [f"flow:spot:BENCH{number}USDT:1m" for number in range(3)]
HERTZ, SECONDS = 4, 10
PADDING = "x" * 1100  # about the size of a bar with both units


class Client(WSListener):
    """`kind`: healthy acknowledges, slow never does, stalled does not even read."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.delays_ms: list[float] = []
        self.seen = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        names = ", ".join(f'"{topic}"' for topic in TOPICS)
        transport.send(WSMsgType.TEXT, f'{{"subscribe": [{names}]}}'.encode())
        if self.kind == "stalled":
            transport.underlying_transport.pause_reading()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        text = frame.get_payload_as_bytes()
        start = text.find(b'"time":')
        if start < 0:
            return
        sent_ns = int(text[start + 7 : text.index(b",", start)])
        self.delays_ms.append((time.monotonic_ns() - sent_ns) / 1e6)
        self.seen += 1
        if self.kind == "healthy" and self.seen % 10 == 0:
            transport.send(WSMsgType.TEXT, f'{{"ack": {self.seen}}}'.encode())


def clients(port: int, token: str, pipe: Connection) -> None:
    """The other process: opens the sockets, says so, and reports when told to."""

    async def run() -> None:
        kinds = ["stalled"] * STALLED + ["slow"] * SLOW
        kinds += ["healthy"] * (SOCKETS - len(kinds))
        opened: list[Client] = []
        gate = asyncio.Semaphore(50)

        async def one(kind: str) -> None:
            async with gate:
                client = Client(kind)
                await ws_connect(
                    lambda: client, f"ws://127.0.0.1:{port}/ws/live/",
                    extra_headers={"Authorization": f"Token {token}"},
                    websocket_handshake_timeout=60,
                )  # fmt: skip
                opened.append(client)

        await asyncio.gather(*(one(kind) for kind in kinds))
        pipe.send("open")
        while not pipe.poll():
            await asyncio.sleep(0.05)
        healthy = [client for client in opened if client.kind == "healthy"]
        pipe.send(([d for c in healthy for d in c.delays_ms], [c.seen for c in healthy]))

    uvloop.run(run())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def publish(is_group: bool) -> int:
    """HERTZ states a second and topic; returns how many each socket should get."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    layer = get_channel_layer()
    sent = 0
    for _ in range(HERTZ * SECONDS):
        for number, topic in enumerate(TOPICS):
            tail = f'"time":{time.monotonic_ns()},"data":{{"p":"{PADDING}"}}}}'
            if is_group:
                text = f'{{"topic":"{topic}","seq":1,{tail}'
                await layer.group_send(f"bench{number}", {"type": "state", "text": text})
            else:
                await client.publish(keys.topic("simulator", topic), f"{sent}\n{tail}")
            sent += 1
        await asyncio.sleep(1 / HERTZ)
    await asyncio.sleep(2)
    await client.aclose()
    return sent


def measure(label: str, server: list[str], token: str, port: int, is_group: bool) -> None:
    web = subprocess.Popen([sys.executable, "-W", "ignore", "-m", *server])
    ours, theirs = multiprocessing.Pipe()
    try:
        wait_for_port(port)
        other = multiprocessing.Process(target=clients, args=(port, token, theirs), daemon=True)
        other.start()
        ours.recv()
        time.sleep(2)
        before = used(web.pid)
        sent = asyncio.run(publish(is_group))
        cpu, memory = used(web.pid)
        ours.send("report")
        delays, seen = ours.recv()
        other.join(20)
    finally:
        web.terminate()
        web.wait(30)
    cuts = statistics.quantiles(delays, n=100)
    lost = sum(sent - count for count in seen)
    print(
        f"  {label:<28} p50 {cuts[49]:7.1f}  p95 {cuts[94]:7.1f}  p99 {cuts[98]:7.1f} ms   "
        f"lost {lost:>6} of {sent * len(seen):,}   cpu {cpu - before[0]:5.1f} s   "
        f"memory {memory:4.0f} MB ({memory - before[1]:+.0f})"
    )


def used(pid: int) -> tuple[float, float]:
    """(CPU seconds, resident MB) of a process and its children."""
    pids = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        fields = path.read_text().rsplit(")", 1)[1].split()
        if int(fields[1]) == pid:
            pids.append(int(path.parent.name))
    figures = [_used_alone(one) for one in pids]
    return sum(cpu for cpu, _ in figures), sum(memory for _, memory in figures)


def _used_alone(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(fields[11]) + int(fields[12])) / ticks, pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the web server did not start within 40 s")


def main() -> int:
    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="bench", email="bench@tapelog.invalid")
    token = issue_token(user=user)
    for topic in TOPICS:
        follow(key=InstrumentKey("simulator", "spot", topic.split(":")[2]))
    print(
        f"{SOCKETS} sockets ({STALLED} stalled, {SLOW} slow) x {len(TOPICS)} topics x {HERTZ} Hz, "
        f"{SECONDS} s, {os.cpu_count()} cores shared with the clients"
    )
    uvicorn = ["uvicorn", "--host", "127.0.0.1", "--ws", "websockets-sansio", "--loop", "uvloop",
               "--log-level", "error", "--timeout-graceful-shutdown", "2",
               "--ws-per-message-deflate", "false"]  # fmt: skip
    runs = [
        ("hub on uvicorn", [*uvicorn, "config.asgi:application"], False),
        (
            "hub on uvicorn, 2 processes",
            [*uvicorn, "--workers", "2", "config.asgi:application"],
            False,
        ),
        ("hub on daphne", ["daphne", "-v", "0", "config.asgi:application"], False),
        ("Channels group on uvicorn", [*uvicorn, "benchmarks.fanout_app:application"], True),
    ]
    for label, server, is_group in runs:
        port = free_port()
        where = ["-p", str(port)] if server[0] == "daphne" else ["--port", str(port)]
        measure(label, [server[0], *where, *server[1:]], token, port, is_group)
    return 0


if __name__ == "__main__":
    sys.exit(main())
