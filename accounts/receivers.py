"""What we do when Django or allauth says that something about a sign-in has changed."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import email_changed, user_signed_up
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_out
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.changes import changed
from accounts.models import User
from accounts.services import auditing
from accounts.shares import count_database
from market.live.ending import access_name, end_sockets

connection_created.connect(count_database)


@receiver(user_logged_out)
def close_sockets(request: HttpRequest, **kwargs: Any) -> None:
    """Sent before the session is flushed, so its key is still there."""
    if request.session.session_key:
        end_sockets(access_name("session", request.session.session_key))


@receiver(user_signed_up)
def note_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Who has just chosen a password is not asked for it before the first key is brought."""
    if user.has_usable_password():
        record_authentication(request, user, method="password")


@receiver(email_changed)
def note_address(user: User, **kwargs: Any) -> None:
    auditing.record(owner=user, actor=user, action="e-mail changed", subject=str(user.pk))
    changed(user, "email")


@receiver(authenticator_added)
@receiver(authenticator_reset)
@receiver(authenticator_removed)
def note_factor(signal: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    actions = {authenticator_added: "added", authenticator_removed: "removed"}
    action = f"second factor {actions.get(signal, 'made anew')}"
    auditing.record(owner=user, actor=user, action=action, subject=str(authenticator.type))
    changed(user, "factor")
