"""`make run` waits for a green /readyz however slow the machine is, and says what is missing."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from launcher import run


class Slow(BaseHTTPRequestHandler):
    """Ready from the third question on."""

    asked = 0

    def do_GET(self) -> None:
        Slow.asked += 1
        body = b"ok" if Slow.asked > 2 else b"redis is away"
        self.send_response(200 if Slow.asked > 2 else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Not on the terminal."""


@pytest.fixture
def address() -> Iterator[str]:
    Slow.asked = 0
    server = HTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_it_waits_and_says_what_is_missing(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "READY_SECONDS", 0)
    assert await run._wait_until_ready(address, asyncio.Event())
    assert capsys.readouterr().out.count("still waiting: redis is away") == 2


async def test_it_ends_when_it_is_stopped(address: str) -> None:
    stop = asyncio.Event()
    stop.set()
    assert not await run._wait_until_ready(address, stop)
