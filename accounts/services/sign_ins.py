"""Sign-ins as a whole: what is open, what is new, and how all of it ends."""

import structlog
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest

from accounts.models import AuditEntry, User
from accounts.services import auditing, tokens
from lib.networks import network_of
from market.live.ending import access_name, end_sockets

log = structlog.get_logger(__name__)

SIGNED_IN = "signed in"
AGENT_LENGTH = 120


@transaction.atomic
def note_sign_in(user: User, request: HttpRequest) -> bool:
    """Write it down; True when this user has signed in before, but never from this neighbourhood
    with this browser."""
    network = network_of(request.META.get("REMOTE_ADDR", "")) or "local"
    agent = request.headers.get("User-Agent", "")[:AGENT_LENGTH]
    before = AuditEntry.objects.filter(owner=user, action=SIGNED_IN)
    is_new = before.exists() and not before.filter(subject=network, why=agent).exists()
    auditing.record(owner=user, actor=user, action=SIGNED_IN, subject=network, why=agent)
    return is_new


@transaction.atomic
def end_all(user: User, *, why: str, keep: str | None = None) -> None:
    """Sessions but the one of the key `keep`, the sockets that they opened, and tokens."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep or ""):
        end_session(session)
    tokens.revoke_all(user=user, why=why)
    log.info("sign-ins ended", user=user.pk, why=why)


def end_session(session: UserSession) -> None:
    access = access_name("session", session.session_key)
    session.end()
    transaction.on_commit(lambda: end_sockets(access))
