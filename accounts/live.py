"""Who is behind a socket: the session cookie from our own origin, or a personal token."""

from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.conf import settings

from accounts.models import User
from accounts.services.tokens import user_of_token


class SignedIn:
    """Puts `user` into the scope, or None for a stranger; the consumer refuses before it accepts.

    A browser sends its cookie on any site's behalf, so a session counts only with our own Origin.
    A token is sent on purpose and needs none.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.with_session = AuthMiddlewareStack(self._keep_own_origin)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        words = headers.get(b"authorization", b"").split()
        if len(words) == 2 and words[0].lower() == b"token":
            find = database_sync_to_async(user_of_token)
            scope["user"] = await find(token=words[1].decode("latin-1"))
            await self.inner(scope, receive, send)
        else:
            await self.with_session(scope, receive, send)

    async def _keep_own_origin(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = scope["user"]
        signed_in = isinstance(user, User) or user.is_authenticated
        scope["user"] = user if signed_in and _is_own_origin(dict(scope["headers"])) else None
        await self.inner(scope, receive, send)


def _is_own_origin(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return bool(origin) and urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")
