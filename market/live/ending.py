"""Ends the sockets of a sign-in that is over, in every web process."""

import hashlib

import redis
import structlog
from django.conf import settings

from market.hot import keys
from market.hot.client import hot_client

log = structlog.get_logger(__name__)


def access_name(kind: str, secret: str) -> str:
    """How a sign-in (a session's key, a token's digest) is called where it must not be read."""
    return f"{kind}:{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


def end_sockets(access: str) -> None:
    """A hint only: each socket also asks for itself now and then."""
    try:
        hot_client().publish(keys.topic(settings.VENUE, keys.ENDED), access)
    except redis.RedisError as error:
        log.warning("sockets not told of a sign-out", error=type(error).__name__)
