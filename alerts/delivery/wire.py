"""One POST to an address that was checked: no redirects, no cookies, no proxy, one deadline for
all of it, and of the answer only its status."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.delivery.guard import Place

WHOLE_SECONDS = 5.0
MOST_BYTES = 64 * 1024
ADDRESSES_TRIED = 3
USER_AGENT = "Tapelog-alerts"


class Undelivered(Exception):
    """It did not arrive, as far as we know; the text is for its owner."""


@dataclass(frozen=True)
class Outcome:
    status: int

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


def post(
    place: Place,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    *,
    tls: ssl.SSLContext | None = None,
    seconds: float = WHOLE_SECONDS,
) -> Outcome:
    """Raises Undelivered."""
    deadline = time.monotonic() + seconds
    head = [
        f"POST {place.path} HTTP/1.1",
        f"Host: {place.authority}",
        f"User-Agent: {USER_AGENT}",
        "Accept: */*",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if any("\r" in line or "\n" in line for line in head):
        raise Undelivered("expected headers of one line each")
    request = "\r\n".join(head).encode() + b"\r\n\r\n" + body
    try:
        with _connect(place, addresses, deadline, tls) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(request)
            return Outcome(_read_status(connection, deadline))
    except TimeoutError as error:
        raise Undelivered(f"no answer within {seconds:g} s") from error
    except ssl.SSLError as error:
        raise Undelivered(f"no secure connection: {error.reason or 'refused'}"[:200]) from error
    except OSError as error:
        raise Undelivered(f"not reached: {error.strerror or type(error).__name__}"[:200]) from error


def _connect(
    place: Place, addresses: Sequence[str], deadline: float, tls: ssl.SSLContext | None
) -> socket.socket:
    """To one of these addresses and no other. Raises OSError."""
    failure: OSError = OSError("no address")
    for address in addresses[:ADDRESSES_TRIED]:
        try:
            plain = socket.create_connection((address, place.port), timeout=_left(deadline))
        except OSError as error:
            failure = error
            continue
        try:
            if ipaddress.ip_address(plain.getpeername()[0]) != ipaddress.ip_address(address):
                raise OSError(f"expected {address} at the other end")
            if place.scheme != "https":
                return plain
            plain.settimeout(_left(deadline))
            context = tls or ssl.create_default_context()
            return context.wrap_socket(plain, server_hostname=place.host)
        except BaseException:
            plain.close()
            raise
    raise failure


def _read_status(connection: socket.socket, deadline: float) -> int:
    """The status of the first answer that is one. Raises OSError, Undelivered."""
    received = b""
    while len(received) < MOST_BYTES:
        connection.settimeout(_left(deadline))
        part = connection.recv(4096)
        if not part:
            break
        received += part
        while b"\r\n\r\n" in received:
            status = _status_of(received)
            if status >= 200 or status == 101:
                return status
            received = received.partition(b"\r\n\r\n")[2]  # 100 Continue, 103 Early Hints
    raise Undelivered("the answer was no HTTP, or had more than 64 KB of headers")


def _status_of(received: bytes) -> int:
    words = received.split(b"\r\n", 1)[0].split(b" ", 2)
    is_http = len(words) >= 2 and words[0].startswith(b"HTTP/1.")
    if not is_http or len(words[1]) != 3 or not words[1].isdigit():
        raise Undelivered("the answer was no HTTP")
    return int(words[1])


def _left(deadline: float) -> float:
    """Seconds that are left. Raises TimeoutError."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
