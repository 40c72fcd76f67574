"""The client's address and scheme, believed only through TRUSTED_PROXIES.

Outermost of all: whatever asks later (Django, allauth, limits, sockets, logs) asks the scope.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from lib.networks import client_of, is_within

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
# A request that holds one of these came through something.
FORWARDING = (
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
)


class BehindProxies:
    def __init__(self, inner: App) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = seen_through(scope)
        await self.inner(scope, receive, send)


def seen_through(scope: Scope) -> Scope:
    """With the client's own address and scheme. `tapelog.direct`: nobody stood between."""
    headers = scope["headers"]
    peer, port = (scope.get("client") or ("", 0))[:2]
    words = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    trusted, unix = settings.TRUSTED_PROXIES, settings.TRUSTED_UNIX
    client = client_of(peer, ",".join(words), trusted, unix=unix)
    scheme = scope.get("scheme", "http")
    if is_within(peer, trusted) if peer else unix:
        scheme = _scheme(headers, scheme, is_socket=scope["type"] == "websocket")
    return {
        **scope,
        "client": (client, port if client == peer else 0) if client else None,
        "scheme": scheme,
        "tapelog.direct": not any(name in FORWARDING for name, _ in headers),
    }


def _scheme(headers: list[tuple[bytes, bytes]], scheme: str, *, is_socket: bool) -> str:
    """As the proxy that ends TLS says it; a header that came twice is not believed."""
    schemes = [value.strip().lower() for name, value in headers if name == b"x-forwarded-proto"]
    if len(schemes) != 1 or schemes[0] not in {b"http", b"https", b"ws", b"wss"}:
        return scheme
    is_secure = schemes[0] in {b"https", b"wss"}
    if is_socket:
        return "wss" if is_secure else "ws"
    return "https" if is_secure else "http"
