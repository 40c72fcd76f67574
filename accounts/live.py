"""Who is behind a socket: the session cookie from our own origin, or a personal token."""

from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from django.conf import settings

from accounts.models import ApiToken, User
from accounts.scopes import Scope
from accounts.services import tokens
from lib.networks import is_within, parse_networks
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
        address = (scope.get("client") or ("", 0))[0]
        find = database_sync_to_async(_user_of_token)
        scope["user"] = await find(token, address)
        scope["access"] = access_name("token", ApiToken.digest_of(token))

        async def is_welcome() -> bool:
            return await find(token, address) is not None

        scope["is_welcome"] = is_welcome
        await self.inner(scope, receive, send)

    async def _keep_own_origin(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        user = scope["user"]
        signed_in = isinstance(user, User) or user.is_authenticated
        address = (scope.get("client") or ("", 0))[0]
        is_welcome_here = signed_in and _is_own_origin(scope) and _may_come(user, address)
        scope["user"] = user if is_welcome_here else None
        scope["access"] = access_name("session", scope["session"].session_key or "")
        scope["is_welcome"] = _session_check(scope, address)
        await self.inner(scope, receive, send)


def _user_of_token(text: str, address: str) -> User | None:
    """A token's user, where the token may open a socket: it reads, and is not bound to a key, since
    a socket cannot be signed."""
    token = tokens.find_token(token=text)
    if token is None or token.key_kind or Scope.READ not in token.scopes:
        return None
    if not _may_come(token, address) or not _may_come(token.user, address):
        return None
    tokens.note_use(token, address)
    return token.user


def _may_come(who: Any, address: str) -> bool:
    return not who.networks or is_within(address, parse_networks(who.networks))


def _session_check(scope: dict[str, Any], address: str) -> Check:
    """Whether the session still exists, signs the same user in (a new password ends it), and may be
    used from here (its networks may be others by now)."""
    store = type(scope["session"]._wrapped)
    key = scope["session"].session_key

    async def is_welcome() -> bool:
        user = await get_user({**scope, "session": store(key)})
        return bool(user.is_authenticated) and _may_come(user, address)

    return is_welcome


def _is_own_origin(scope: dict[str, Any]) -> bool:
    """Scheme, host and port as the page had them; one `Origin` only."""
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    if len(origins) != 1:
        return False
    origin = origins[0].decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    is_secure = scope.get("scheme", "ws") in {"wss", "https"} or settings.SESSION_COOKIE_SECURE
    return bool(host) and origin == f"{'https' if is_secure else 'http'}://{host}"
