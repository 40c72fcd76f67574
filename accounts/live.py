"""Who is behind a socket: the session cookie from our own origin, or a personal token."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from django.conf import settings

from accounts.models import ApiToken, User
from accounts.services.tokens import user_of_token
from market.live.ending import access_name

Check = Callable[[], Awaitable[bool]]


class SignedIn:
    """Puts `user` into the scope, or None for a stranger; the consumer refuses before it accepts.

    `access` names the sign-in, so that its end ends the socket; `is_welcome` asks again whether it
    stands. A browser sends its cookie on any site's behalf, so a session counts only with our own
    Origin. A token is sent on purpose and needs none.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.with_session = AuthMiddlewareStack(self._keep_own_origin)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        words = headers.get(b"authorization", b"").split()
        if len(words) != 2 or words[0].lower() != b"token":
            await self.with_session(scope, receive, send)
            return
        token = words[1].decode("latin-1")
        find = database_sync_to_async(user_of_token)
        scope["user"] = await find(token=token)
        scope["access"] = access_name("token", ApiToken.digest_of(token))

        async def is_welcome() -> bool:
            return await find(token=token) is not None

        scope["is_welcome"] = is_welcome
        await self.inner(scope, receive, send)

    async def _keep_own_origin(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = scope["user"]
        signed_in = isinstance(user, User) or user.is_authenticated
        scope["user"] = user if signed_in and _is_own_origin(dict(scope["headers"])) else None
        scope["access"] = access_name("session", scope["session"].session_key or "")
        scope["is_welcome"] = _session_check(scope)
        await self.inner(scope, receive, send)


def _session_check(scope: dict[str, Any]) -> Check:
    """Whether the session still exists and signs the same user in (a new password ends it)."""
    store = type(scope["session"]._wrapped)
    key = scope["session"].session_key

    async def is_welcome() -> bool:
        user = await get_user({**scope, "session": store(key)})
        return bool(user.is_authenticated)

    return is_welcome


def _is_own_origin(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return bool(origin) and urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")
