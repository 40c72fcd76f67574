"""What we do when Django says that somebody signed out."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from market.live.ending import access_name, end_sockets


@receiver(user_logged_out)
def close_sockets(request: HttpRequest, **kwargs: Any) -> None:
    """Sent before the session is flushed, so its key is still there."""
    if request.session.session_key:
        end_sockets(access_name("session", request.session.session_key))
