"""What else must happen when something about a sign-in changes; apps above register it through
`config` (a trading switch falls, say)."""

from collections.abc import Callable
from typing import Literal

from accounts.models import User

What = Literal["password", "email", "factor", "deactivated", "key", "paused"]
Callback = Callable[[User, str], None]
_callbacks: list[Callback] = []


def register(callback: Callback) -> None:
    if callback not in _callbacks:
        _callbacks.append(callback)


def changed(user: User, what: What) -> None:
    """Called inside the transaction of the change."""
    for callback in _callbacks:
        callback(user, what)
