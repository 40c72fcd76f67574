"""Who uses Tapelog while it is upgraded: a reader of pages, a listener and a trader."""

import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

PAGES = (
    "/",
    "/trades/",
    "/reports/",
    "/portfolio/",
    "/market/BTCUSDT/",
    "/api/cvd/realtime?symbol=BTCUSDT&interval=1m&minutes=60",
    "/api/trades",
)
TIMEOUT = 30
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def sign_in(address: str, password: str) -> requests.Session:
    session = requests.Session()
    # a proxy of its own connections would hide what a process that ends does to them
    session.headers["Connection"] = "close"
    page = session.get(f"{address}/accounts/login/", timeout=TIMEOUT)
    token = CSRF.search(page.text)
    assert token, "the page for signing in has no form"
    form = {"login": "demo", "password": password, "csrfmiddlewaretoken": token[1]}
    answer = session.post(f"{address}/accounts/login/", form, timeout=TIMEOUT)
    assert answer.ok and "sessionid" in " ".join(session.cookies.keys()), answer.status_code
    return session


class Caller(ABC):
    """Calls again and again until it is to stop."""

    pause = 0.2

    def __init__(self, session: requests.Session, address: str) -> None:
        self.session = session
        self.address = address
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(2 * TIMEOUT)

    def _go_on(self) -> None:
        while not self._stopping.wait(self.pause):
            try:
                self.call()
            except (OSError, ValueError, KeyError, WebSocketException) as error:
                self.faults.append(f"{time.strftime('%X')} {type(error).__name__}: {error}"[:300])

    @abstractmethod
    def call(self) -> None: ...


class Reader(Caller):
    """Every page in turn; each answer has to be 200."""

    def call(self) -> None:
        path = PAGES[sum(self.counts.values()) % len(PAGES)]
        self.counts[path] += 1
        answer = self.session.get(f"{self.address}{path}", timeout=TIMEOUT)
        if answer.status_code != 200:
            self.faults.append(f"{time.strftime('%X')} {path}: {answer.status_code}")


class Listener(Caller):
    """A socket that connects again where it is closed, as the pages' does; `longest` is the longest
    time in seconds without a state."""

    longest = 0.0

    def call(self) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in self.session.cookies.items())
        socket = self.address.replace("http", "ws") + "/ws/live/"
        headers = {"Cookie": cookies, "Origin": self.address}
        heard_at = getattr(self, "_heard_at", time.monotonic())
        with connect(socket, additional_headers=headers, open_timeout=TIMEOUT) as wire:
            self.counts["connections"] += 1
            wire.send(json.dumps({"subscribe": ["flow:spot:BTCUSDT:1s"]}))
            try:
                while not self._stopping.is_set():
                    message = json.loads(wire.recv(timeout=TIMEOUT))
                    if "seq" in message:
                        wire.send(json.dumps({"ack": message["seq"]}))
                    self.counts["messages"] += 1
                    now = time.monotonic()
                    self.longest = max(self.longest, now - heard_at)
                    self._heard_at = heard_at = now
            except ConnectionClosed:
                return


class Trader(Caller):
    """An order that rests, every two seconds; what has no clear answer is asked again with its key,
    as a script does."""

    pause = 2.0
    account = ""

    def __init__(self, session: requests.Session, address: str) -> None:
        super().__init__(session, address)
        self.placed: list[str] = []

    def begin(self) -> None:
        """Trading switched on for the first account that may."""
        rows = self.session.get(f"{self.address}/api/accounts", timeout=TIMEOUT).json()
        self.account = next(str(row["id"]) for row in rows if row["state"] == "live")
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        answer = self.ask("put", f"/api/trading/{self.account}", {"on": True, "until": until})
        assert answer.ok, answer.text
        self.start()

    def call(self) -> None:
        key = uuid4().hex
        body = {
            "account": self.account,
            "market": "spot",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "price": "50000",
            "quantity": "0.001",
        }
        for attempt in range(10):
            answer = self.ask("post", "/api/orders", body, {"Idempotency-Key": key})
            self.counts[f"answers {answer.status_code}"] += 1
            if answer.status_code in {201, 202}:
                self.counts["orders"] += 1
                self.placed.append(answer.json()["id"])
                return
            if answer.status_code not in {429, 503}:
                break
            time.sleep(1 + attempt)
        self.faults.append(f"{time.strftime('%X')} order: {answer.status_code} {answer.text[:200]}")

    def ask(
        self, method: str, path: str, body: dict[str, Any], more: dict[str, str] | None = None
    ) -> requests.Response:
        token = next(str(v) for k, v in self.session.cookies.items() if "csrftoken" in k)
        headers = {"X-CSRFToken": token, "Referer": self.address, **(more or {})}
        return self.session.request(
            method, f"{self.address}{path}", json=body, headers=headers, timeout=TIMEOUT
        )
