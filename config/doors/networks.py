"""Who may come at all: ALLOWED_NETWORKS for every door, ADMIN_NETWORKS for the staff's."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from lib.networks import is_within

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
STAFF = ("/admin/", "/staff/")
# Probes of whoever runs it ask from their own networks.
HEALTH = ("/healthz", "/readyz")
SENTENCE = "This server may not be used from your network."


class FromAllowedNetworks:
    def __init__(self, inner: App) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or _may_come(scope):
            await self.inner(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403})
        else:
            await _refuse(send)


def _may_come(scope: Scope) -> bool:
    path = scope["path"]
    address = (scope.get("client") or ("", 0))[0]
    if path in HEALTH:
        return True
    if settings.ALLOWED_NETWORKS and not is_within(address, settings.ALLOWED_NETWORKS):
        return False
    is_staff = f"{path}/".startswith(STAFF)
    return not (
        is_staff and settings.ADMIN_NETWORKS and not is_within(address, settings.ADMIN_NETWORKS)
    )


async def _refuse(send: Any) -> None:
    body = json.dumps({"code": "network_not_allowed", "detail": SENTENCE}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
