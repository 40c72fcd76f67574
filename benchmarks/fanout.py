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
from market.hot import keys  # noqa: E402
from market.instruments import InstrumentKey  # noqa: E402
from market.services.following import follow  # noqa: E402

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
                    lambda: client,
                    f"ws://127.0.0.1:{port}/ws/live/",
                    extra_headers={"Authorization": f"Token {token}"},
                    websocket_handshake_timeout=60,
                )
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


def measure(label: str, server: list[str], count: int, token: str, is_group: bool) -> None:
    """`count` processes share one listening socket, whose number stands for `FD` in `server`."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port, fd = listening.getsockname()[1], listening.fileno()
    command = [sys.executable, "-W", "ignore", "-m", *(w.replace("FD", str(fd)) for w in server)]
    webs = [subprocess.Popen(command, pass_fds=[fd]) for _ in range(count)]
    ours, theirs = multiprocessing.Pipe()
    try:
        time.sleep(6)  # all of them listen
        other = multiprocessing.Process(target=clients, args=(port, token, theirs), daemon=True)
        other.start()
        ours.recv()
        time.sleep(2)
        before = [used(web.pid) for web in webs]
        sent = asyncio.run(publish(is_group))
        after = [used(web.pid) for web in webs]
        ours.send("report")
        delays, seen = ours.recv()
        other.join(20)
    finally:
        for web in webs:
            web.terminate()
            web.wait(30)
        listening.close()
    cuts = statistics.quantiles(delays, n=100)
    lost = sum(sent - got for got in seen)
    cpu = sum(b[0] - a[0] for a, b in zip(before, after, strict=True))
    memory, grown = (
        sum(b[1] for b in after),
        sum(b[1] - a[1] for a, b in zip(before, after, strict=True)),
    )
    print(
        f"  {label:<28} p50 {cuts[49]:7.1f}  p95 {cuts[94]:7.1f}  p99 {cuts[98]:7.1f} ms   "
        f"lost {lost:>6} of {sent * len(seen):,}   cpu {cpu:5.1f} s   "
        f"memory {memory:4.0f} MB ({grown:+.0f})"
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
    hub = ["launcher.web", "--fd", "FD"]
    group = [*hub, "--app", "benchmarks.fanout_app:application"]
    daphne = ["daphne", "-v", "0", "--fd", "FD", "config.asgi:application"]
    for label, server, count, is_group in (
        ("hub on uvicorn", hub, 1, False),
        ("hub on uvicorn, 2 processes", hub, 2, False),
        ("hub on daphne", daphne, 1, False),
        ("hub on daphne, 2 processes", daphne, 2, False),
        ("Channels group on uvicorn", group, 1, True),
    ):
        measure(label, server, count, token, is_group)
    return 0


if __name__ == "__main__":
    sys.exit(main())
