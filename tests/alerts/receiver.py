"""A web server of the outside world on a real socket, which writes down what it was sent."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[socket.socket], None]


@dataclass
class Received:
    """One request: its first line, its headers in lower case, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    port: int
    # every connection, also one that said nothing
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    answer: Answer = lambda connection: connection.sendall(OK)

    def url(self, host: str = "127.0.0.1", scheme: str = "http", path: str = "/hook") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def saying(text: bytes) -> Answer:
    return lambda connection: connection.sendall(text)


def silent(connection: socket.socket) -> None:
    """Not a word until the client hangs up."""
    connection.recv(1)


def dripping(text: bytes, pause: float) -> Answer:
    """A byte now and then."""

    def answer(connection: socket.socket) -> None:
        for at in range(len(text)):
            connection.sendall(text[at : at + 1])
            time.sleep(pause)

    return answer


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, 0), family=family)
    receiver = Receiver(listening.getsockname()[1])
    thread = threading.Thread(target=_serve, args=(listening, receiver), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _serve(listening: socket.socket, receiver: Receiver) -> None:
    while True:
        try:
            connection, _peer = listening.accept()
        except OSError:
            return
        receiver.connections += 1
        with connection:
            connection.settimeout(10)
            try:
                _one(connection, receiver)
            except OSError:
                continue


def _one(connection: socket.socket, receiver: Receiver) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (item.split(": ", 1) for item in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    receiver.requests.append(Received(line, headers, body))
    receiver.answer(connection)
